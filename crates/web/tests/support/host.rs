//! A host that answers as a test says, in the place of every host outside.

use std::sync::Mutex;

use straddle_engine::outside::{Outside, Substitute};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The host, and what it was asked so far.
pub(crate) struct Host {
    listener: TcpListener,
    asked: Mutex<Vec<Asked>>,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// `http://name/path?query`.
    pub(crate) address: String,
    /// What was said with it, in small letters.
    head: String,
}

/// What is answered.
pub(crate) struct Reply {
    status: u16,
    headers: String,
    body: Vec<u8>,
    /// How much of the body is sent before the connection breaks.
    sent: usize,
}

impl Asked {
    /// Returns a header, by its name in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Self { status, headers: String::new(), sent: body.len(), body }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.extend([name, ": ", value, "\r\n"]);
        self
    }

    /// Breaks the connection after some of the body.
    pub(crate) fn broken_after(self, sent: usize) -> Self {
        Self { sent, ..self }
    }
}

impl Host {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        Self { listener, asked: Mutex::default() }
    }

    /// Returns that every host is this one.
    pub(crate) fn outside(&self) -> Outside {
        let plain = self.listener.local_addr().expect("it listens");
        Outside::Substitute(Substitute { tls: plain, plain, certificate_authority: String::new() })
    }

    /// Answers for as long as something is done.
    pub(crate) async fn during<T>(
        &self,
        work: impl Future<Output = T>,
        answer: impl Fn(&Asked) -> Reply,
    ) -> T {
        let serve = async {
            loop {
                let (stream, _) = self.listener.accept().await.expect("somebody asks");
                self.serve(stream, &answer).await;
            }
        };
        tokio::select! {
            done = work => done,
            () = serve => unreachable!("it serves without an end"),
        }
    }

    async fn serve(&self, mut stream: TcpStream, answer: &impl Fn(&Asked) -> Reply) {
        let mut read = Vec::new();
        while !read.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => read.push(byte),
                Err(_) => return,
            }
        }
        let text = String::from_utf8(read).expect("it is asked in text");
        let (line, rest) = text.split_once("\r\n").expect("there is a first line");
        let head = rest.lines().map(|line| match line.split_once(": ") {
            Some((name, value)) => format!("{}: {value}\n", name.to_ascii_lowercase()),
            None => String::new(),
        });
        let mut asked = Asked { address: String::new(), head: head.collect() };
        let path = line.split(' ').nth(1).expect("a path is asked for");
        asked.address = format!("http://{}{path}", asked.header("host").expect("a host is meant"));
        let reply = answer(&asked);
        self.asked.lock().expect("nobody panics with it").push(asked);
        let (status, headers, length) = (reply.status, reply.headers, reply.body.len());
        let head = format!(
            "HTTP/1.1 {status} Said\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n"
        );
        // Who has heard enough hangs up.
        drop(stream.write_all(head.as_bytes()).await);
        drop(stream.write_all(&reply.body[..reply.sent]).await);
    }

    /// Returns what it was asked, and forgets it.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().expect("nobody panics with it"))
    }

    /// Returns the addresses that it was asked for, and forgets them.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.address).collect()
    }
}
