//! Which taints a pod bears.
//!
//! **Spec:** upstream's `v1.Toleration.ToleratesTaint`.

use k8s_openapi::api::core::v1::Taint;

use crate::demand::Toleration;

/// The first taint that keeps pods away and that none of `tolerations` bears.
pub(crate) fn first_untolerated<'a>(tolerations: &[Toleration], taints: &'a [Taint]) -> Option<&'a Taint> {
    let keeps_away = |taint: &&Taint| matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute");
    taints.iter().filter(keeps_away).find(|taint| !is_tolerated(tolerations, taint))
}

/// How many taints speak against the node without keeping the pod away.
pub(crate) fn count_unwelcome(tolerations: &[Toleration], taints: &[Taint]) -> i32 {
    let unwelcome = taints.iter().filter(|taint| taint.effect == "PreferNoSchedule");
    let unwelcome = unwelcome.filter(|taint| !is_tolerated(tolerations, taint));
    i32::try_from(unwelcome.count()).unwrap_or(i32::MAX)
}

/// Whether one of `tolerations` bears `taint`.
pub(crate) fn is_tolerated(tolerations: &[Toleration], taint: &Taint) -> bool {
    tolerations.iter().any(|toleration| bears(toleration, taint))
}

fn bears(toleration: &Toleration, taint: &Taint) -> bool {
    let (effect, key) = (text(toleration.effect.as_ref()), text(toleration.key.as_ref()));
    if !effect.is_empty() && effect != taint.effect || !key.is_empty() && key != taint.key {
        return false;
    }
    match text(toleration.operator.as_ref()) {
        "" | "Equal" => text(toleration.value.as_ref()) == text(taint.value.as_ref()),
        "Exists" => true,
        _ => false,
    }
}

fn text(text: Option<&String>) -> &str {
    text.map_or("", String::as_str)
}
