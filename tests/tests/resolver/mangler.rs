//! Something between a resolver and a name server that does not leave everything as it is.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use qmail_conformance::Tree;

/// What it does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// Leaves questions with an extension unanswered.
    DropExtension,
    /// Answers them with this code.
    RefuseExtension(u8),
    /// Before each answer sends others: with another number,
    WrongIdFirst,
    /// with another name,
    WrongNameFirst,
    /// that are none,
    RubbishFirst,
    /// that are the question itself.
    EchoFirst,
    /// Keeps each answer for a while.
    Late(Duration),
    /// Cuts all answers over UDP short, and takes no connections.
    TruncatedAndNoTcp,
    /// Takes them, and then says nothing,
    TcpSilence,
    /// a byte now and then,
    TcpDrip,
    /// or half of it.
    TcpCut,
}

/// It.
pub(crate) struct Mangler<'t> {
    tree: &'t Tree,
    server: &'static str,
    way: Way,
    over: &'t AtomicBool,
}

const HEADER: usize = 12;

impl Mangler<'_> {
    /// Stands at `address` before `server` while `test` runs.
    pub(crate) fn run(
        tree: &Tree,
        address: &str,
        server: &'static str,
        way: Way,
        test: impl FnOnce(),
    ) {
        let over = AtomicBool::new(false);
        let socket = tree.bind(address);
        let listener = match way {
            Way::TruncatedAndNoTcp => None,
            _ => Some(tree.listen(address)),
        };
        let mangler = Mangler { tree, server, way, over: &over };
        thread::scope(|scope| {
            scope.spawn(|| mangler.serve_udp(&socket));
            if let Some(listener) = &listener {
                scope.spawn(|| mangler.serve_tcp(listener));
            }
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(test));
            over.store(true, Ordering::SeqCst);
            if let Err(panic) = ended {
                std::panic::resume_unwind(panic);
            }
        });
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    fn serve_udp(&self, socket: &UdpSocket) {
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        thread::scope(|scope| {
            let mut buffer = [0; 4096];
            while !self.is_over() {
                let Ok((length, client)) = socket.recv_from(&mut buffer) else { continue };
                let question = buffer[..length].to_vec();
                scope.spawn(move || self.answer(socket, &question, client));
            }
        });
    }

    fn answer(&self, socket: &UdpSocket, question: &[u8], client: SocketAddr) -> Option<()> {
        let has_extension = question[10..HEADER] != [0, 0];
        let send = |bytes: &[u8]| drop(socket.send_to(bytes, client));
        match self.way {
            Way::DropExtension if has_extension => return None,
            Way::RefuseExtension(code) if has_extension => {
                let header = [&question[..2], &[0x81, 0x80 | code, 0, 0, 0, 0, 0, 0, 0, 0]];
                send(&header.concat());
                return None;
            }
            Way::Late(time) => self.wait(time)?,
            _ => {}
        }
        let mut answer = self.ask(question)?;
        match self.way {
            Way::WrongIdFirst => (1..20).for_each(|step| {
                let id = u16::from_be_bytes([answer[0], answer[1]]).wrapping_add(step);
                send(&[&id.to_be_bytes(), &nothing(&answer)[2..]].concat());
            }),
            Way::WrongNameFirst => {
                let mut other = nothing(&answer);
                other[HEADER + 1] ^= 1;
                send(&other);
            }
            Way::RubbishFirst => (0..HEADER).for_each(|length| send(&answer[..length])),
            Way::EchoFirst => send(question),
            Way::TruncatedAndNoTcp | Way::TcpSilence | Way::TcpDrip | Way::TcpCut => {
                answer[2] |= 2;
            }
            _ => {}
        }
        send(&answer);
        Some(())
    }

    fn wait(&self, time: Duration) -> Option<()> {
        let step = Duration::from_millis(20);
        for _ in 0..time.as_millis() / step.as_millis() {
            if self.is_over() {
                return None;
            }
            thread::sleep(step);
        }
        Some(())
    }

    fn ask(&self, question: &[u8]) -> Option<Vec<u8>> {
        let socket = self.tree.bind("127.0.0.1:0");
        socket.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        socket.connect(self.server).ok()?;
        socket.send(question).ok()?;
        let mut answer = vec![0; 65536];
        let length = socket.recv(&mut answer).ok()?;
        answer.truncate(length);
        Some(answer)
    }

    fn serve_tcp(&self, listener: &TcpListener) {
        listener.set_nonblocking(true).unwrap();
        thread::scope(|scope| {
            while !self.is_over() {
                match listener.accept() {
                    Ok((client, _)) => drop(scope.spawn(move || self.relay(&client))),
                    Err(_) => thread::sleep(Duration::from_millis(5)),
                }
            }
        });
    }

    fn relay(&self, mut client: &TcpStream) -> Option<()> {
        client.set_nonblocking(false).ok()?;
        client.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let question = message(client)?;
        let mut server = self.tree.connect(self.server);
        server.write_all(&question).ok()?;
        let answer = message(&server)?;
        match self.way {
            Way::TcpSilence => self.wait(Duration::from_secs(30)),
            Way::TcpDrip => answer.iter().try_for_each(|byte| {
                client.write_all(&[*byte]).ok()?;
                self.wait(Duration::from_millis(100))
            }),
            Way::TcpCut => client.write_all(&answer[..answer.len() / 2]).ok(),
            _ => client.write_all(&answer).ok(),
        }
    }
}

/// The same with the answer that there is no such name.
fn nothing(answer: &[u8]) -> Vec<u8> {
    let name = answer[HEADER..].iter().position(|byte| *byte == 0).unwrap();
    let mut nothing = answer[..HEADER + name + 5].to_vec();
    nothing[3] = 0x80 | 3;
    nothing[6..HEADER].fill(0);
    nothing
}

/// A message with its length before it.
fn message(mut stream: &TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut bytes = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut bytes).ok()?;
    Some([&length[..], &bytes].concat())
}
