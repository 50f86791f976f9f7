//! A Source on its way to a running platform: for each file a header as a JSON line, then its bytes.
//!
//! The texts are sent, not what was read of them: whoever takes them reads them itself, and finds the
//! same documents at the same places.

use std::sync::Arc;

use mainstay_base::limits;
use mainstay_source::Source;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::{REQUEST_BYTES, line};

/// What comes next.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Part {
    /// A file of documents; so many bytes follow.
    Text(String, u64),
    /// A file that a kustomization names; so many bytes follow.
    Attached(String, u64),
    /// A template that was left alone.
    Template(String),
    /// Nothing.
    End,
}

/// Sends a Source.
pub(super) async fn send(write: &mut (impl AsyncWrite + Unpin), source: &Source) -> std::io::Result<()> {
    for file in &source.files {
        let text = file.text().as_bytes();
        write.write_all(&line(&Part::Text(file.name().to_string(), text.len() as u64))?).await?;
        write.write_all(text).await?;
    }
    for (name, bytes) in &source.attached {
        write.write_all(&line(&Part::Attached(name.clone(), bytes.len() as u64))?).await?;
        write.write_all(bytes).await?;
    }
    for name in &source.templates {
        write.write_all(&line(&Part::Template(name.clone()))?).await?;
    }
    write.write_all(&line(&Part::End)?).await?;
    write.flush().await
}

/// Takes a Source in, no larger than one that is read from files.
pub(super) async fn receive(read: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<Source> {
    let (mut texts, mut attached, mut templates) = (Vec::new(), Vec::new(), Vec::new());
    let mut room = limits::SOURCE_BYTES;
    for _ in 0..=limits::SOURCE_FILES * 2 {
        let mut header = String::new();
        (&mut *read).take(REQUEST_BYTES).read_line(&mut header).await?;
        match serde_json::from_str(&header)? {
            Part::Text(name, length) => {
                let bytes = take(read, length, &mut room).await?;
                let text = String::from_utf8(bytes).map_err(|_| refused("a text is not UTF-8"))?;
                texts.push((name, text));
            }
            Part::Attached(name, length) => {
                let bytes: Arc<[u8]> = take(read, length, &mut room).await?.into();
                attached.push((name, bytes));
            }
            Part::Template(name) => templates.push(name),
            Part::End => {
                let texts = texts.iter_mut().map(|(name, text)| (name.as_str(), std::mem::take(text)));
                let mut source = Source::from_texts(texts);
                source.attached.extend(attached);
                source.templates = templates;
                return Ok(source);
            }
        }
    }
    Err(refused("a Source of too many files"))
}

async fn take(
    read: &mut (impl AsyncBufRead + Unpin),
    length: u64,
    room: &mut u64,
) -> std::io::Result<Vec<u8>> {
    *room = room.checked_sub(length).ok_or_else(|| refused("a Source that is too large"))?;
    let mut bytes = Vec::new();
    (&mut *read).take(length).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
}

fn refused(why: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_source_arrives_as_it_was_sent() {
        let mut source = Source::from_texts([
            ("a.yaml", "a: \"\u{fc}\"\n---\nb: 2"),
            ("b.md", "# x\n```yaml\nc: 3\n```\n"),
        ]);
        source.attached.insert("logo.png".to_owned(), Arc::from([0u8, 255, 10].as_slice()));
        source.templates.push("chart/templates".to_owned());
        let mut sent = Vec::new();
        send(&mut sent, &source).await.unwrap();
        let arrived = receive(&mut sent.as_slice()).await.unwrap();
        assert_eq!(arrived.attached, source.attached);
        assert_eq!(arrived.templates, source.templates);
        let places = |source: &Source| {
            source.documents.iter().map(|one| (one.start(), one.value())).collect::<Vec<_>>()
        };
        assert_eq!(places(&arrived), places(&source));
    }

    #[tokio::test]
    async fn what_is_cut_short_or_too_large_is_refused() {
        let source = Source::from_text("a.yaml", "a: 1");
        let mut sent = Vec::new();
        send(&mut sent, &source).await.unwrap();
        for length in 0..sent.len() - 1 {
            assert!(receive(&mut &sent[..length]).await.is_err(), "{length}");
        }
        let huge = format!("{{\"text\":[\"a\",{}]}}\n", limits::SOURCE_BYTES + 1);
        assert!(receive(&mut huge.as_bytes()).await.is_err());
    }
}
