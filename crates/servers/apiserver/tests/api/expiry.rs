//! Events and their age.

use std::time::Duration;

use mainstay_base::task::{Kind, Shutdown, Tree};
use serde_json::json;

use crate::region::in_region;

const EVENTS: &str = "/api/v1/namespaces/default/events";

#[test]
fn an_event_ends_an_hour_after_its_last_change() {
    in_region(|region| async move {
        let tree = Tree::new(Shutdown::new());
        let server = region.server.clone();
        tree.supervise(Kind::Housekeeping, "event expiry", move || server.clone().expire_events());
        for name in ["once", "again"] {
            let event = json!({
                "apiVersion": "v1", "kind": "Event", "metadata": { "name": name, "namespace": "default" },
                "involvedObject": { "kind": "Pod", "name": "p", "namespace": "default" }, "reason": "Pulled",
            });
            region.post(EVENTS, &event).await.expect(201);
        }
        let minutes = |count| region.world.clock().sleep(Duration::from_mins(count));
        minutes(40).await;
        region.merge(&format!("{EVENTS}/again"), &json!({ "count": 2 })).await.expect(200);
        minutes(15).await;
        region.get(&format!("{EVENTS}/once")).await.expect(200);
        minutes(15).await;
        region.get(&format!("{EVENTS}/once")).await.expect(404);
        region.get(&format!("{EVENTS}/again")).await.expect(200);
        minutes(40).await;
        region.get(&format!("{EVENTS}/again")).await.expect(404);
        tree.kill();
    });
}
