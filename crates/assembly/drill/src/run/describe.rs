//! A step without a name, by what it does.

use mainstay_kinds::drill::{Action, Machines, Step};

pub(super) fn describe(step: &Step) -> String {
    match &step.action {
        Action::Apply(apply) => match (&apply.file, &apply.target) {
            (Some(file), _) => format!("apply {file}"),
            (None, Some(target)) => format!("patch {} {}", target.kind, target.name),
            (None, None) => "apply manifest".to_owned(),
        },
        Action::Delete(delete) => format!("delete {} {}", delete.kind, delete.name),
        Action::Scale(scale) => format!("scale {} {} to {}", scale.kind, scale.name, scale.replicas),
        Action::KillNode(meant) => format!("kill {}", machines(meant)),
        Action::RestoreNode(meant) => format!("restore {}", machines(meant)),
        Action::KillRegion(name) => format!("kill region {name}"),
        Action::RestoreRegion(name) => format!("restore region {name}"),
        Action::Partition(partition) => match &partition.nodes {
            Some(meant) => format!("cut off {}", machines(meant)),
            None => format!("partition {}", partition.regions.join(" | ")),
        },
        Action::Repeat(_) => "repeat".to_owned(),
        Action::Expect(expect) => {
            let event = expect.event.as_ref().and_then(|event| event.reason.clone());
            if expect.kind.is_empty() {
                return format!("expect Event {}", event.unwrap_or_default()).trim_end().to_owned();
            }
            let meant = expect.name.as_ref().or(expect.selector.as_ref());
            format!("expect {} {}", expect.kind, meant.map_or("", String::as_str)).trim_end().to_owned()
        }
    }
}

fn machines(meant: &Machines) -> String {
    let number = meant.pick.map(|pick| format!("{pick} of ")).unwrap_or_default();
    let ways = [
        meant.name.as_ref().map(|name| format!("node {name}")),
        meant.node_group.as_ref().map(|group| format!("node group {group}")),
        meant.zone.as_ref().map(|zone| format!("zone {zone}")),
        meant.selector.as_ref().map(|selector| format!("nodes with {selector}")),
    ];
    let way = ways.into_iter().flatten().next().unwrap_or_default();
    let index = meant.index.map(|index| format!(" [{index}]")).unwrap_or_default();
    format!("{number}{way}{index}")
}
