//! As much of HTTP as one page of our own needs.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// How long a request that has begun may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Something asked for, and the way to answer.
#[derive(Debug)]
pub struct Request {
    /// Path.
    pub path: String,
    /// What was sent along.
    pub body: String,
    stream: TcpStream,
}

impl Request {
    /// Answers.
    pub fn answer(mut self, status: &str, kind: &str, body: &str) {
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n");
        // A browser that is gone shows elsewhere.
        let _ = write!(self.stream, "{head}Connection: close\r\n\r\n{body}");
    }
}

/// The next request, if one is there; the listener does not block.
pub fn next(listener: &TcpListener) -> std::io::Result<Option<Request>> {
    match listener.accept() {
        Ok((stream, _)) => {
            stream.set_nonblocking(false)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            // Browsers open connections beforehand, which say nothing.
            Ok(read(stream).ok().flatten())
        }
        Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(e) => Err(e),
    }
}

fn read(mut stream: TcpStream) -> std::io::Result<Option<Request>> {
    let (mut text, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(request) = parse(&text) {
            let (path, body) = request;
            return Ok(Some(Request { path, body, stream }));
        }
        match stream.read(&mut chunk)? {
            0 => return Ok(None),
            length => text.extend(&chunk[..length]),
        }
    }
}

/// Path and body of a complete request.
fn parse(text: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let path = head.split(' ').nth(1)?.to_owned();
    let named = head.lines().filter_map(|line| line.split_once(':'));
    let length = named.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).map(|(_, v)| v.trim().parse());
    let length: usize = length.flatten().next().unwrap_or(0);
    (body.len() >= length).then(|| (path, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_request_is_taken_when_it_is_complete() {
        let text = b"POST /offer HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc";
        assert_eq!(parse(&text[..text.len() - 1]), None);
        assert_eq!(parse(text), Some(("/offer".into(), "abc".into())));
        assert_eq!(parse(b"GET / HTTP/1.1\r\n\r\n"), Some(("/".into(), String::new())));
    }
}
