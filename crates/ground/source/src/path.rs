//! Names of files, as kustomizations put them together.

/// The file called `name` seen from a folder, without `.` and, where it can be, without `..`;
/// nothing of an absolute one. Not bound to be inside the folder, nor to exist.
pub fn joined(folder: &str, name: &str) -> Option<String> {
    if name.starts_with('/') && !folder.is_empty() {
        return None;
    }
    let is_absolute = folder.starts_with('/') || name.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if is_absolute => return None,
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    Some(if is_absolute { format!("/{path}") } else { path })
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn names_are_joined_without_detours() {
        for (folder, name, path) in [
            ("", "./a.yaml", Some("a.yaml")),
            ("x/y", "../base/a.yaml", Some("x/base/a.yaml")),
            ("x", "../../a", Some("../a")),
            ("../x", "./b//c/", Some("../x/b/c")),
            ("/srv/x", "../y", Some("/srv/y")),
            ("/srv", "../../y", None),
            ("x", "/etc/passwd", None),
            ("", "/srv/./x", Some("/srv/x")),
            ("x", ".", Some("x")),
        ] {
            assert_eq!(joined(folder, name).as_deref(), path, "{folder} {name}");
        }
    }
}
