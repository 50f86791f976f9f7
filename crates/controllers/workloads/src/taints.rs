//! Which taints a pod bears.
//!
//! **Spec:** upstream's `v1.Toleration.ToleratesTaint`.

use k8s_openapi::api::core::v1::{Taint, Toleration};

/// Whether one of `tolerations` bears `taint`.
pub(crate) fn is_tolerated(tolerations: &[Toleration], taint: &Taint) -> bool {
    tolerations.iter().any(|toleration| bears(toleration, taint))
}

/// Whether `toleration` bears `taint`.
pub(crate) fn bears(toleration: &Toleration, taint: &Taint) -> bool {
    let text = |text: &'_ Option<String>| -> String { text.clone().unwrap_or_default() };
    let is_either = |own: &Option<String>, of_taint: &str| {
        own.as_deref().is_none_or(|own| own.is_empty() || own == of_taint)
    };
    if !is_either(&toleration.effect, &taint.effect) || !is_either(&toleration.key, &taint.key) {
        return false;
    }
    match toleration.operator.as_deref().unwrap_or_default() {
        "" | "Equal" => text(&toleration.value) == text(&taint.value),
        "Exists" => true,
        _ => false,
    }
}
