//! Messages between processes, and descriptors with them.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, Shutdown, SockFlag, SockType,
    recvmsg, sendmsg, shutdown, socketpair,
};

/// Descriptors that come with a message, at most; further ones are lost.
const MOST: usize = 16;

/// Two ends of a connection that keeps messages apart; close-on-exec.
pub fn message_sockets() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SockFlag::SOCK_CLOEXEC;
    Ok(socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?)
}

/// Sends one message, and copies of `descriptors` with it.
///
/// # Errors
/// Those of sendmsg(2); `EPIPE` if nobody is there any more.
pub fn send_message(
    socket: impl AsFd,
    bytes: &[u8],
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let raw: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let control = if raw.is_empty() { &[][..] } else { &rights };
    let (socket, bytes) = (socket.as_fd().as_raw_fd(), [IoSlice::new(bytes)]);
    loop {
        match sendmsg::<()>(socket, &bytes, control, MsgFlags::MSG_NOSIGNAL, None) {
            Ok(_) => return Ok(()),
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Waits for one message: how many bytes of `buffer` it took, and its descriptors, close-on-exec.
/// After the last message it has no bytes.
///
/// # Errors
/// Those of recvmsg(2), and `InvalidData` for a message that did not fit.
pub fn receive_message(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let socket = socket.as_fd().as_raw_fd();
    let mut control = nix::cmsg_space!([RawFd; MOST]);
    let mut bytes = [IoSliceMut::new(buffer)];
    let message = loop {
        match recvmsg::<()>(socket, &mut bytes, Some(&mut control), MsgFlags::MSG_CMSG_CLOEXEC) {
            Ok(message) => break message,
            Err(nix::errno::Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    };
    let mut descriptors = Vec::new();
    for part in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(raw) = part {
            // SAFETY: the kernel has just made these descriptors, and nobody else knows them.
            descriptors.extend(raw.into_iter().map(|raw| unsafe { OwnedFd::from_raw_fd(raw) }));
        }
    }
    if message.flags.intersects(MsgFlags::MSG_TRUNC | MsgFlags::MSG_CTRUNC) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok((message.bytes, descriptors))
}

/// Takes no more messages: whoever sends one gets `EPIPE`. Those that are there can be received.
pub fn refuse_messages(socket: impl AsFd) -> io::Result<()> {
    Ok(shutdown(socket.as_fd().as_raw_fd(), Shutdown::Read)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::{Read, Write};

    #[test]
    fn a_message_arrives_alone_with_its_descriptors() {
        let (near, far) = message_sockets().unwrap();
        let pipe = crate::pipe().unwrap();
        send_message(&near, b"one", &[pipe.write.as_fd()]).unwrap();
        send_message(&near, b"two", &[]).unwrap();
        drop((near, pipe.write));
        let mut buffer = [0; 100];
        let (length, mut descriptors) = receive_message(&far, &mut buffer).unwrap();
        assert_eq!((&buffer[..length], descriptors.len()), (&b"one"[..], 1));
        File::from(descriptors.pop().unwrap()).write_all(b"through").unwrap();
        let mut said = String::new();
        File::from(pipe.read).read_to_string(&mut said).unwrap();
        assert_eq!(said, "through");
        let (length, descriptors) = receive_message(&far, &mut buffer).unwrap();
        assert_eq!((&buffer[..length], descriptors.len()), (&b"two"[..], 0));
        assert_eq!(receive_message(&far, &mut buffer).unwrap().0, 0);
    }

    #[test]
    fn a_message_that_does_not_fit_is_an_error_and_none_can_be_sent_to_nobody() {
        let (near, far) = message_sockets().unwrap();
        send_message(&near, b"four", &[]).unwrap();
        let error = receive_message(&far, &mut [0; 3]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        drop(far);
        let error = send_message(&near, b"x", &[]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn who_refuses_messages_gets_those_that_were_sent_before() {
        let (near, far) = message_sockets().unwrap();
        send_message(&near, b"before", &[]).unwrap();
        refuse_messages(&far).unwrap();
        let error = send_message(&near, b"after", &[]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        let mut buffer = [0; 100];
        assert_eq!(receive_message(&far, &mut buffer).unwrap().0, 6);
        assert_eq!(receive_message(&far, &mut buffer).unwrap().0, 0);
        send_message(&far, b"answer", &[]).unwrap();
        assert_eq!(receive_message(&near, &mut buffer).unwrap().0, 6);
    }
}
