//! The words of a label query.

/// One word. Identifiers keep their text; so do the words that can be values too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    End,
    Close,
    Open,
    Comma,
    Not,
    Equals,
    DoubleEquals,
    NotEquals,
    Greater,
    Less,
    In,
    NotIn,
    Identifier(&'a str),
    /// Signs that are no word; upstream's message stands for them.
    Wrong(&'a str),
}

impl Token<'_> {
    /// The word as messages show it.
    pub(super) fn text(&self) -> String {
        match self {
            Token::End => String::new(),
            Token::Close => ")".to_owned(),
            Token::Open => "(".to_owned(),
            Token::Comma => ",".to_owned(),
            Token::Not => "!".to_owned(),
            Token::Equals => "=".to_owned(),
            Token::DoubleEquals => "==".to_owned(),
            Token::NotEquals => "!=".to_owned(),
            Token::Greater => ">".to_owned(),
            Token::Less => "<".to_owned(),
            Token::In => "in".to_owned(),
            Token::NotIn => "notin".to_owned(),
            Token::Identifier(text) => (*text).to_owned(),
            Token::Wrong(text) => format!("error expected: keyword found '{text}'"),
        }
    }
}

/// All words of a query, in order. A NUL ends it, as upstream's lexer takes it for the end.
pub(super) fn words(query: &str) -> Vec<Token<'_>> {
    let mut rest = query.split('\0').next().unwrap_or_default();
    let mut words = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let Some(first) = rest.chars().next() else { return words };
        let (word, length) = if is_sign(first) { sign(rest) } else { identifier(rest) };
        words.push(word);
        rest = &rest[length..];
    }
}

fn is_sign(character: char) -> bool {
    matches!(character, '=' | '!' | '(' | ')' | ',' | '>' | '<')
}

fn identifier(text: &str) -> (Token<'_>, usize) {
    let ends = |character| is_sign(character) || matches!(character, ' ' | '\t' | '\r' | '\n');
    let length = text.find(ends).unwrap_or(text.len());
    let token = match &text[..length] {
        "in" => Token::In,
        "notin" => Token::NotIn,
        word => Token::Identifier(word),
    };
    (token, length)
}

fn sign(text: &str) -> (Token<'_>, usize) {
    let two = match text.get(..2) {
        Some("==") => Some(Token::DoubleEquals),
        Some("!=") => Some(Token::NotEquals),
        _ => None,
    };
    if let Some(token) = two {
        return (token, 2);
    }
    let token = match text.as_bytes()[0] {
        b'=' => Token::Equals,
        b'!' => Token::Not,
        b'(' => Token::Open,
        b')' => Token::Close,
        b',' => Token::Comma,
        b'>' => Token::Greater,
        b'<' => Token::Less,
        _ => Token::Wrong(&text[..1]),
    };
    (token, 1)
}
