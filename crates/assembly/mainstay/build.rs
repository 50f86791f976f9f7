//! Embeds the pages of `docs/errors` as a sorted table for `mainstay explain`.

use std::fmt::Write as _;
use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/errors");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut pages = std::fs::read_dir(&folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    let mut table = String::from("&[\n");
    for page in pages {
        let code = page.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        writeln!(table, "    ({code:?}, include_str!({:?})),", page.display().to_string())
            .map_err(std::io::Error::other)?;
    }
    table.push_str("]\n");
    #[allow(clippy::disallowed_methods, reason = "how cargo tells a build script where to write")]
    let out = std::env::var("OUT_DIR").map_err(std::io::Error::other)?;
    std::fs::write(Path::new(&out).join("pages.rs"), table)
}
