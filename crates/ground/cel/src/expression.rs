//! One expression: compiled once, asked about values.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, LazyLock};

use cel::{Context, Env, Program, extensions};

use crate::{Value, free};

/// The longest expression that is read.
const LONGEST: usize = 4 * 1024;
/// How deep brackets may be nested.
const DEEPEST: usize = 32;
/// How many letters may be operators: each may be one more level of the parser's recursion.
const MOST_OPERATORS: usize = 400;

/// A compiled expression.
pub struct Expression {
    text: String,
    program: Program,
    variables: BTreeSet<String>,
}

/// A text that is no expression, or not one about what there is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidExpression(String);

/// An expression that has no answer for these values: a field is missing, types do not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoAnswer(String);

/// The functions expressions may call.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut environment = Env::stdlib().with_optional_support(true);
    for extension in [extensions::strings, extensions::lists, extensions::math] {
        environment.add_extension(extension).expect("invariant: the libraries do not overlap");
    }
    let environment = Arc::new(environment);
    // Whatever is made on first use is made here, before any virtual World draws its hash keys.
    if let Ok(program) = environment.compile("[1].all(x, x == 1)") {
        let _warm = program.execute(&Context::with_env(Arc::clone(&environment)));
    }
    environment
});

impl Expression {
    /// Compiles `text`, which may name `variables`.
    pub fn compile(text: &str, variables: &[&str]) -> Result<Self, InvalidExpression> {
        if text.len() > LONGEST || depth(text) > DEEPEST || operators(text) > MOST_OPERATORS {
            return Err(InvalidExpression(format!(
                "it is longer than {LONGEST} bytes, nested deeper than {DEEPEST}, or has more than \
                 {MOST_OPERATORS} operators"
            )));
        }
        let program = ENVIRONMENT.compile(text).map_err(|errors| InvalidExpression(first_line(&errors)))?;
        let free = free::variables(program.expression());
        if let Some(name) = free.iter().find(|name| !variables.contains(&name.as_str())) {
            let known = variables.join(", ");
            return Err(InvalidExpression(format!("undeclared reference to '{name}'; there are: {known}")));
        }
        Ok(Self { text: text.to_owned(), program, variables: free })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it names this variable.
    pub fn names(&self, variable: &str) -> bool {
        self.variables.contains(variable)
    }

    /// Whether it is true of these variables; only `true` and `false` are answers.
    pub fn holds(&self, variables: &[(&str, &Value)]) -> Result<bool, NoAnswer> {
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        for (name, value) in variables {
            context.add_variable_from_value(*name, value.0.clone());
        }
        match self.program.execute(&context) {
            Ok(cel::Value::Bool(answer)) => Ok(answer),
            Ok(other) => Err(NoAnswer(format!("it gives a {}, not a bool", other.type_of()))),
            Err(error) => Err(NoAnswer(lower_first(&error.to_string()))),
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// How deep brackets are nested, those in text included.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for letter in text.chars() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn operators(text: &str) -> usize {
    text.chars().filter(|letter| "+-*/%!?:&|<>=.,".contains(*letter)).count()
}

fn first_line(errors: &impl fmt::Display) -> String {
    let text = errors.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("ERROR: <input>:").to_owned()
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(text: &str, object: &serde_json::Value) -> Result<bool, String> {
        let expression = Expression::compile(text, &["object"]).map_err(|error| error.to_string())?;
        expression.holds(&[("object", &Value::from(object))]).map_err(|error| error.to_string())
    }

    #[test]
    fn an_expression_answers_about_an_object() {
        let object = json!({
            "metadata": {"name": "web-1", "labels": {"app.kubernetes.io/name": "web"}},
            "spec": {"replicas": 3, "ratio": 0.5},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        });
        for text in [
            "object.spec.replicas == 3",
            "object.spec.replicas - 1 >= 2",
            "object.spec.ratio < 1.0",
            "object.metadata.name.startsWith('web-')",
            "object.metadata.labels['app.kubernetes.io/name'] == 'web'",
            "object.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')",
            "!has(object.status.phase)",
            "object.metadata.name.matches('^web-[0-9]+$')",
            "'app.kubernetes.io/name' in object.metadata.labels",
            "object.metadata.name.split('-').size() == 2",
            "size(object.status.conditions.filter(c, c.status == 'False')) == 0",
            "object.status.?replicas.orValue(0) == 0",
        ] {
            assert_eq!(holds(text, &object), Ok(true), "{text}");
        }
        assert_eq!(holds("object.spec.replicas > 3", &object), Ok(false));
    }

    #[test]
    fn what_has_no_answer_says_why() {
        let object = json!({"spec": {}});
        let missing = holds("object.spec.replicas > 1", &object).unwrap_err();
        assert!(missing.starts_with("no such key: replicas"), "{missing}");
        let other = holds("object.spec", &object).unwrap_err();
        assert!(other.contains("not a bool"), "{other}");
    }

    #[test]
    fn what_cannot_be_read_is_refused_before_it_is_asked() {
        for (text, part) in [
            ("object.spec ==", "1:15"),
            ("objct.spec == 1", "undeclared reference to 'objct'; there are: object"),
        ] {
            let told = holds(text, &json!({})).unwrap_err();
            assert!(told.contains(part), "{told}");
        }
        assert!(Expression::compile(&"1+".repeat(LONGEST), &[]).is_err());
        assert!(Expression::compile(&"(".repeat(40), &[]).is_err());
        // What is as long as may be ends well, on the stack of any thread.
        for text in [format!("{}1 > 0", "1+".repeat(399)), format!("{}true", "!".repeat(400))] {
            let told = Expression::compile(&text, &[]).map(|read| read.holds(&[]));
            assert!(!matches!(told, Ok(Err(_))), "{told:?}");
        }
    }

    #[test]
    fn a_list_of_objects_is_one_variable() {
        let pods = [json!({"ready": true}), json!({"ready": false})];
        let objects = Value::list(pods.iter().map(Value::from));
        let expression = Expression::compile("objects.filter(o, o.ready).size() == 1", &["objects"]).unwrap();
        assert_eq!(expression.holds(&[("objects", &objects)]), Ok(true));
        assert!(expression.names("objects") && !expression.names("object"));
    }
}
