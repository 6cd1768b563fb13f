//! What qmail-send, qmail-todo and qmail-clean tell each other.

use qmail_wire::clean::{Request, RequestParser};
use qmail_wire::todo::NewsParser;

use crate::same_in_pieces;

/// Messages do not depend on how they arrive, and are read as they are written.
pub(crate) fn daemons(bytes: &[u8]) {
    same_in_pieces(bytes, |pieces| {
        let mut parser = RequestParser::new();
        pieces.iter().flat_map(|piece| parser.push(piece)).collect::<Vec<_>>()
    });
    for request in RequestParser::new().push(bytes).into_iter().flatten() {
        let written = request.encode();
        assert_eq!(RequestParser::new().push(&written), [Ok(request)]);
    }
    let _ = Request::parse(bytes);
    same_in_pieces(bytes, |pieces| {
        let mut parser = NewsParser::new();
        pieces.iter().flat_map(|piece| parser.push(piece)).collect::<Vec<_>>()
    });
    for news in NewsParser::new().push(bytes).into_iter().flatten() {
        assert_eq!(NewsParser::new().push(&news.encode()), [Ok(news)]);
    }
}
