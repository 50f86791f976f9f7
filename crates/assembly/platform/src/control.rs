//! The local socket a running platform answers on: one JSON request per line, answered by JSON lines.
//! A Source follows its request in parts (`transfer`), each bounded.
//!
//! The socket lies in the state folder (0700) and is itself 0600: whoever can open it owns the
//! platform.

use std::path::Path;

use futures::future::BoxFuture;
use mainstay_base::net::{Listener, Net, Stream};
use mainstay_base::task::{Kind, Outcome, Shutdown, Tree};
use mainstay_source::Source;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::mpsc;

use crate::plan::{Counts, RegionPlan};
use crate::progress::Phase;
use crate::status::Status;

mod transfer;

/// A longer request is not one of ours.
const REQUEST_BYTES: u64 = 64 * 1024;
/// Answers that are on their way to who asked.
const ANSWERS: usize = 16;

/// What may be asked of a running platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// How it stands.
    Status,
    /// End it; answered when the drain has begun.
    Down,
    /// Take another Source, which follows.
    Up(Up),
}

/// A Source that a running platform is to take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Up {
    /// What its platform is called, unless it says so itself.
    pub name: String,
    /// Only tell what would be done.
    pub dry_run: bool,
}

/// What it answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// How it stands.
    Status(Box<Status>),
    /// It is ending.
    Ending,
    /// What is done with a new Source; more answers follow.
    Plan(Vec<RegionPlan>),
    /// A part of it is done; more answers follow.
    Phase(Phase),
    /// A document was refused: the Diagnostic, rendered; more answers follow.
    Refusal(String),
    /// All is done.
    Done(Counts),
    /// Nothing was changed: the Diagnostics, rendered, and the exit code.
    Failed {
        /// The exit code of the command that asked.
        code: u8,
        /// What is wrong.
        problems: Vec<String>,
    },
    /// The request was not understood; the text says why.
    Refused(String),
}

impl Answer {
    /// Whether nothing follows it.
    pub fn is_last(&self) -> bool {
        !matches!(self, Self::Plan(_) | Self::Phase(_) | Self::Refusal(_))
    }
}

/// Who answers on the socket.
pub(crate) trait Answering: Clone + Send + Sync + 'static {
    /// How the platform stands.
    fn status(&self) -> Status;
    /// Takes another Source, telling on the way; the last answer is returned.
    fn up(self, up: Up, source: Source, tell: mpsc::Sender<Answer>) -> BoxFuture<'static, Answer>;
}

/// Asks the platform whose socket is at `path`.
///
/// # Errors
/// An I/O error where nobody listens or the answer is cut short.
pub async fn ask(net: &Net, path: &Path, request: &Request) -> std::io::Result<Answer> {
    let mut stream = net.connect_unix(path).await?;
    stream.write_all(&line(request)?).await?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await?;
    Ok(serde_json::from_str(&answer)?)
}

/// Hands `source` to the platform whose socket is at `path`; each answer is told, the last one
/// returned.
///
/// # Errors
/// An I/O error where nobody listens or the answer is cut short.
pub async fn ask_up(
    net: &Net,
    path: &Path,
    up: &Up,
    source: &Source,
    mut tell: impl FnMut(Answer),
) -> std::io::Result<Answer> {
    let stream = net.connect_unix(path).await?;
    let (read, mut write) = tokio::io::split(stream);
    let sent = async {
        write.write_all(&line(&Request::Up(up.clone()))?).await?;
        transfer::send(&mut write, source).await
    };
    // A refusal may come before everything is sent.
    let sent = sent.await;
    let mut lines = BufReader::new(read).lines();
    while let Some(text) = lines.next_line().await? {
        let answer: Answer = serde_json::from_str(&text)?;
        if answer.is_last() {
            return Ok(answer);
        }
        tell(answer);
    }
    sent?;
    Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the answer was cut short"))
}

fn line(value: &impl Serialize) -> std::io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

/// Answers on `listener` until the tree ends; `stop` is begun by a `Down`.
pub(crate) async fn answer(
    mut listener: Listener,
    tree: Tree,
    answering: impl Answering,
    stop: Shutdown,
) -> Outcome {
    loop {
        let (stream, _from) = tokio::select! {
            biased;
            () = tree.shutdown().begun() => return Ok(()),
            accepted = listener.accept() => accepted?,
        };
        let (answering, stop) = (answering.clone(), stop.clone());
        tree.spawn(Kind::Connection, "control", async move { serve(stream, answering, stop).await });
    }
}

async fn serve(stream: Stream, answering: impl Answering, stop: Shutdown) -> Outcome {
    let (read, mut write) = tokio::io::split(stream);
    let mut read = BufReader::new(read);
    let mut text = String::new();
    (&mut read).take(REQUEST_BYTES).read_line(&mut text).await?;
    let request = serde_json::from_str::<Request>(&text);
    let answer = match request {
        Ok(Request::Status) => Answer::Status(Box::new(answering.status())),
        Ok(Request::Down) => Answer::Ending,
        Ok(Request::Up(up)) => match transfer::receive(&mut read).await {
            Ok(source) => take(answering, up, source, &mut write).await,
            Err(error) => Answer::Refused(error.to_string()),
        },
        Err(error) => Answer::Refused(error.to_string()),
    };
    write.write_all(&line(&answer)?).await?;
    write.flush().await?;
    if answer == Answer::Ending {
        stop.begin();
    }
    Ok(())
}

/// Lets the platform take a Source, handing on what it tells meanwhile. Who asked may leave: what was
/// begun is finished all the same.
async fn take(
    answering: impl Answering,
    up: Up,
    source: Source,
    write: &mut (impl tokio::io::AsyncWrite + Unpin),
) -> Answer {
    let (tell, mut told) = mpsc::channel(ANSWERS);
    let hand_on = async {
        let mut is_there = true;
        while let Some(answer) = told.recv().await {
            let sent = async { write.write_all(&line(&answer)?).await };
            is_there = is_there && sent.await.is_ok();
        }
    };
    futures::future::join(answering.up(up, source, tell), hand_on).await.0
}
