//! The grammar of a label query: requirements with commas between them.

use super::SelectorError;
use super::label::{Operator, Requirement};
use super::lexer::{self, Token};
use crate::name;

pub(super) fn parse(query: &str) -> Result<Vec<Requirement>, SelectorError> {
    Parser { words: lexer::words(query), at: 0 }.query()
}

struct Parser<'a> {
    words: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Parser<'a> {
    /// The word that comes next, where `in` is an operator.
    fn peek_operator(&self) -> Token<'a> {
        self.words.get(self.at).copied().unwrap_or(Token::End)
    }

    /// The word that comes next, where `in` is a value like any.
    fn peek(&self) -> Token<'a> {
        match self.peek_operator() {
            Token::In => Token::Identifier("in"),
            Token::NotIn => Token::Identifier("notin"),
            token => token,
        }
    }

    fn take(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn query(&mut self) -> Result<Vec<Requirement>, SelectorError> {
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                Token::Identifier(_) | Token::Not => {}
                Token::End => return Ok(requirements),
                other => return Err(found(other, ", expected: !, identifier, or 'end of string'")),
            }
            let requirement = self
                .requirement()
                .map_err(|error| SelectorError(format!("unable to parse requirement: {error}")))?;
            requirements.push(requirement);
            match self.take() {
                Token::End => return Ok(requirements),
                Token::Comma => {}
                other => return Err(found(other, ", expected: ',' or 'end of string'")),
            }
            if !matches!(self.peek(), Token::Identifier(_) | Token::Not) {
                return Err(found(self.peek(), ", expected: identifier after ','"));
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, SelectorError> {
        let negated = self.peek() == Token::Not;
        if negated {
            self.take();
        }
        let key = match self.take() {
            Token::Identifier(key) => key,
            other => return Err(found(other, ", expected: identifier")),
        };
        let wrong = name::qualified_name(key);
        if !wrong.is_empty() {
            return Err(SelectorError(format!("<nil>: Invalid value: {key:?}: {}", wrong.join("; "))));
        }
        let is_bare = matches!(self.peek(), Token::End | Token::Comma);
        match (negated, is_bare) {
            (true, _) => Requirement::new(key, Operator::DoesNotExist, [""; 0]),
            (false, true) => Requirement::new(key, Operator::Exists, [""; 0]),
            (false, false) => self.relation(key),
        }
    }

    fn relation(&mut self, key: &str) -> Result<Requirement, SelectorError> {
        let token = self.peek_operator();
        self.at += 1;
        let (operator, sign) = match token {
            Token::In => (Operator::In, "in"),
            Token::NotIn => (Operator::NotIn, "notin"),
            Token::Equals => (Operator::In, "="),
            Token::DoubleEquals => (Operator::In, "=="),
            Token::NotEquals => (Operator::NotIn, "!="),
            Token::Greater => (Operator::Greater, ">"),
            Token::Less => (Operator::Less, "<"),
            other => return Err(found(other, ", expected: in, notin, =, ==, !=, gt, lt")),
        };
        let values = if matches!(sign, "in" | "notin") { self.set()? } else { vec![self.exact()?] };
        Requirement::signed(key.to_owned(), operator, values, sign)
    }

    fn exact(&mut self) -> Result<String, SelectorError> {
        if matches!(self.peek(), Token::End | Token::Comma) {
            return Ok(String::new());
        }
        match self.take() {
            Token::Identifier(value) => Ok(value.to_owned()),
            other => Err(found(other, ", expected: identifier")),
        }
    }

    /// `(a,b)`, where nothing between two commas is the empty value.
    fn set(&mut self) -> Result<Vec<String>, SelectorError> {
        match self.take() {
            Token::Open => {}
            other => return Err(found(other, " expected: '('")),
        }
        if !matches!(self.peek(), Token::Identifier(_) | Token::Comma | Token::Close) {
            return Err(found(self.peek(), ", expected: ',', ')' or identifier"));
        }
        let mut values = Vec::new();
        loop {
            let value = match self.peek() {
                Token::Identifier(value) => {
                    self.take();
                    value
                }
                Token::Comma | Token::Close => "",
                other => return Err(found(other, ", expected: ',', or identifier")),
            };
            values.push(value.to_owned());
            match self.take() {
                Token::Comma => {}
                Token::Close => return Ok(values),
                other => return Err(found(other, ", expected: ',' or ')'")),
            }
        }
    }
}

fn found(token: Token<'_>, expected: &str) -> SelectorError {
    SelectorError(format!("found '{}'{expected}", token.text()))
}
