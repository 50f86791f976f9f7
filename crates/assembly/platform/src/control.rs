//! The local socket a running platform answers on: one JSON request per line, one JSON answer.
//!
//! The socket lies in the state folder (0700) and is itself 0600: whoever can open it owns the
//! platform.

use std::path::Path;

use mainstay_base::net::{Listener, Net, Stream};
use mainstay_base::task::{Kind, Outcome, Shutdown, Tree};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::status::Status;

/// A longer request is not one of ours.
const REQUEST_BYTES: u64 = 64 * 1024;

/// What may be asked of a running platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// How it stands.
    Status,
    /// End it; answered when the drain has begun.
    Down,
}

/// What it answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// How it stands.
    Status(Box<Status>),
    /// It is ending.
    Ending,
    /// The request was not understood; the text says why.
    Refused(String),
}

/// Asks the platform whose socket is at `path`.
///
/// # Errors
/// An I/O error where nobody listens or the answer is cut short.
pub async fn ask(net: &Net, path: &Path, request: &Request) -> std::io::Result<Answer> {
    let mut stream = net.connect_unix(path).await?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).await?;
    Ok(serde_json::from_str(&answer)?)
}

/// Answers on `listener` until the tree ends. `status` is read for each request; `stop` is begun
/// by a `Down`.
pub(crate) async fn answer(
    mut listener: Listener,
    tree: Tree,
    status: impl Fn() -> Status + Clone + Send + Sync + 'static,
    stop: Shutdown,
) -> Outcome {
    loop {
        let (stream, _from) = tokio::select! {
            biased;
            () = tree.shutdown().begun() => return Ok(()),
            accepted = listener.accept() => accepted?,
        };
        let (status, stop) = (status.clone(), stop.clone());
        tree.spawn(Kind::Connection, "control", async move { serve(stream, status, stop).await });
    }
}

async fn serve(stream: Stream, status: impl Fn() -> Status, stop: Shutdown) -> Outcome {
    use tokio::io::AsyncReadExt as _;
    let (read, mut write) = tokio::io::split(stream);
    let mut line = String::new();
    BufReader::new(read.take(REQUEST_BYTES)).read_line(&mut line).await?;
    let request = serde_json::from_str::<Request>(&line);
    let answer = match &request {
        Ok(Request::Status) => Answer::Status(Box::new(status())),
        Ok(Request::Down) => Answer::Ending,
        Err(error) => Answer::Refused(error.to_string()),
    };
    let mut bytes = serde_json::to_vec(&answer)?;
    bytes.push(b'\n');
    write.write_all(&bytes).await?;
    write.flush().await?;
    if matches!(request, Ok(Request::Down)) {
        stop.begin();
    }
    Ok(())
}
