//! References by name follow the objects that were renamed.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_resource::GroupVersionKind;
use mainstay_source::Place;

use crate::fields::{Field, Make};
use crate::id::{Id, Kinds};
use crate::node::{Content, Node};
use crate::resource::Resource;
use crate::resources::Resources;
use crate::scalar::Tag;
use crate::tables::Tables;

/// Writes the new names of renamed objects wherever they are named.
pub(crate) fn follow(resources: &mut Resources, tables: &Tables) -> Result<(), String> {
    let renamed = Renamed::of(resources);
    if renamed.by_name.is_empty() {
        return Ok(());
    }
    for index in 0..resources.0.len() {
        let (first, referrer) = (resources.0[index].first_id(), resources.0[index].clone());
        let sight = Sight::of(&referrer, &renamed);
        for (target, field) in &tables.references {
            if !field.kinds.has(&first.kind) {
                continue;
            }
            let field = Field { kinds: Kinds::default(), ..field.clone() };
            let search = Search { sight: &sight, target, path: &field.path };
            let Some(node) = resources.0[index].node.as_mut() else { continue };
            let done = field
                .apply(&first.kind, node, Make::Nothing, Place::default(), &mut |node| search.write(node));
            done.map_err(|error| format!("{}: {error}", referrer.id()))?;
        }
    }
    Ok(())
}

/// The objects that were renamed or moved, by each name they had.
struct Renamed {
    all: Vec<Resource>,
    by_name: BTreeMap<String, Vec<usize>>,
}

impl Renamed {
    fn of(resources: &Resources) -> Self {
        let all: Vec<Resource> =
            resources.0.iter().filter(|resource| !resource.previous.is_empty()).cloned().collect();
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, resource) in all.iter().enumerate() {
            let names: BTreeSet<String> = resource.previous_ids().into_iter().map(|id| id.name).collect();
            for name in names {
                by_name.entry(name).or_default().push(index);
            }
        }
        Self { all, by_name }
    }
}

/// What an object can refer to.
struct Sight<'a> {
    referrer: &'a Resource,
    id: Id,
    renamed: &'a Renamed,
    /// Namespaces of service accounts that it names.
    namespaces: BTreeSet<String>,
    role: Option<GroupVersionKind>,
}

impl<'a> Sight<'a> {
    fn of(referrer: &'a Resource, renamed: &'a Renamed) -> Self {
        let node = referrer.node.as_ref();
        let mut namespaces = BTreeSet::new();
        if referrer.kind().kind == "RoleBinding" {
            let subjects =
                node.and_then(|node| node.get("subjects")).and_then(Node::items).unwrap_or_default();
            for subject in subjects {
                let is_account = subject.get("kind").is_some_and(|kind| kind.as_text() == "ServiceAccount");
                namespaces.extend(
                    subject
                        .get("namespace")
                        .filter(|_| is_account)
                        .map(|namespace| namespace.as_text().to_owned()),
                );
            }
        }
        let role = node.and_then(|node| node.get("roleRef")).and_then(|role| {
            let text = |name| role.get(name).map(|node| node.as_text().to_owned());
            Some(GroupVersionKind::new(text("apiGroup")?, "", text("kind")?))
        });
        Self { referrer, id: referrer.id(), renamed, namespaces, role }
    }

    /// Whether an object could be meant at all.
    fn has(&self, other: &Resource) -> bool {
        let id = other.id();
        self.id.is_cluster_wide()
            || id.is_cluster_wide()
            || id.is_beside(&self.id)
            || self.namespaces.contains(other.namespace())
    }

    /// Whether an object that could be meant is near enough.
    fn is_near(&self, other: &Resource) -> bool {
        let id = other.id();
        self.id.is_cluster_wide()
            || id.is_cluster_wide()
            || id.kind.kind == "ServiceAccount"
            || id.is_beside(&self.id)
    }
}

/// One field of one object that names objects of some kinds.
struct Search<'a> {
    sight: &'a Sight<'a>,
    target: &'a Kinds,
    path: &'a str,
}

impl Search<'_> {
    fn write(&self, node: &mut Node) -> Result<(), String> {
        match &mut node.content {
            Content::Scalar(Tag::Null, _) => Ok(()),
            Content::Scalar(..) => self.write_name(node),
            Content::Map(_) => self.write_both(node),
            Content::List(items) => items.iter_mut().filter(|item| !item.is_null()).try_for_each(|item| {
                if item.fields().is_some() { self.write_both(item) } else { self.write_name(item) }
            }),
        }
    }

    fn write_name(&self, node: &mut Node) -> Result<(), String> {
        if node.items().is_some() {
            return Err("a name is expected".to_owned());
        }
        let found = self.find(node.as_text(), &|_| true, &|left, right| left.name() == right.name())?;
        if let Some(found) = found.filter(|found| found.name() != node.as_text()) {
            let at = node.at;
            node.set_text(found.name(), at);
        }
        Ok(())
    }

    /// A reference with name and namespace.
    fn write_both(&self, node: &mut Node) -> Result<(), String> {
        let Some(name) = node.get("name") else {
            return Err("there is no `name` in the reference".to_owned());
        };
        let (name, at) = (name.as_text().to_owned(), name.at);
        let namespace = node.get("namespace").map(|namespace| namespace.as_text().to_owned());
        let renamed = self.sight.renamed;
        // The namespace may be the one of before, or the one of now.
        let of_first = |other: &Resource, wanted: &str| {
            let first = other.first_id();
            !first.is_cluster_wide() && first.place() == wanted
        };
        let of_now = |other: &Resource, wanted: &str| {
            let now = other.id();
            !now.is_cluster_wide() && now.place() == wanted
        };
        let by_first = namespace.as_ref().is_some_and(|wanted| {
            renamed.all.iter().any(|other| self.sight.has(other) && of_first(other, wanted))
        });
        let is_there = |other: &Resource| match &namespace {
            None => true,
            Some(wanted) if by_first => of_first(other, wanted),
            Some(wanted) => of_now(other, wanted),
        };
        let are_same = |left: &Resource, right: &Resource| {
            left.name() == right.name() && left.namespace() == right.namespace()
        };
        let Some(found) = self.find(&name, &is_there, &are_same)? else { return Ok(()) };
        if found.name() == name && found.namespace().is_empty() {
            return Ok(());
        }
        let Some(fields) = node.fields_mut() else { return Ok(()) };
        fields.set("name", Node::text(found.name(), at));
        if !found.namespace().is_empty() {
            let at = fields.get("namespace").map_or(at, |old| old.at);
            fields.set("namespace", Node::text(found.namespace(), at));
        }
        Ok(())
    }

    /// The object that had a name, if it is plain which.
    fn find(
        &self,
        name: &str,
        is_there: &dyn Fn(&Resource) -> bool,
        are_same: &dyn Fn(&Resource, &Resource) -> bool,
    ) -> Result<Option<&Resource>, String> {
        let renamed = self.sight.renamed;
        let with_name = renamed.by_name.get(name).into_iter().flatten().map(|index| &renamed.all[*index]);
        let mut found: Vec<&Resource> = with_name
            .filter(|other| self.sight.has(other) && is_there(other) && self.is_target(other))
            .collect();
        if found.len() == 1 {
            return Ok(found.pop());
        }
        found.retain(|other| other.is_renamed_like(self.sight.referrer, true));
        if found.len() > 1 {
            found.retain(|other| other.is_renamed_like(self.sight.referrer, false));
        }
        match found.as_slice() {
            [] => Ok(None),
            [first, rest @ ..] if rest.iter().all(|other| are_same(first, other)) => Ok(Some(first)),
            several => {
                let names: Vec<String> = several.iter().map(|other| other.id().to_string()).collect();
                Err(format!("`{name}` may be any of {}", names.join(", ")))
            }
        }
    }

    fn is_target(&self, other: &Resource) -> bool {
        let was = |is_wanted: &dyn Fn(&GroupVersionKind) -> bool| {
            other.previous_ids().iter().any(|id| is_wanted(&id.kind))
        };
        let is_role = |kind: &GroupVersionKind| {
            self.sight.role.as_ref().is_none_or(|role| {
                Kinds { group: role.group.clone(), version: String::new(), kind: role.kind.clone() }.has(kind)
            })
        };
        was(&|kind| self.target.has(kind))
            && (!self.path.ends_with("roleRef/name") || was(&is_role))
            && self.sight.is_near(other)
    }
}
