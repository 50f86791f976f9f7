//! Pods give way to those of higher priority.

use crate::support::{asking, region};

#[test]
fn a_pod_of_lower_priority_gives_way_and_the_node_is_kept_for_who_it_made_room_for() {
    region(1, |region| async move {
        region.node("a1").await;
        region.class("high", 1000).await;
        region.pod("minor", "3", None).await;
        region.settle().await;
        let uid = region.create(asking("major", "3", "high")).await;
        region.settle().await;

        let minor = region.get("minor").await;
        assert!(minor.metadata.deletion_timestamp.is_some());
        let conditions = minor.status.unwrap().conditions.unwrap();
        let target = conditions.into_iter().find(|it| it.type_ == "DisruptionTarget").unwrap();
        assert_eq!(
            (target.status.as_str(), target.reason.as_deref()),
            ("True", Some("PreemptionByScheduler"))
        );
        let message = "default-scheduler: preempting to accommodate a higher priority pod";
        assert_eq!(target.message.as_deref(), Some(message));
        let preempted = format!("Preempted by pod {uid} on node a1");
        let events = region.events().await;
        assert!(events.iter().any(|[.., reason, message, _]| reason == "Preempted" && *message == preempted));
        let major = region.get("major").await;
        assert_eq!(major.status.unwrap().nominated_node_name.as_deref(), Some("a1"));
        assert_eq!(
            region.scheduled("major").await.unwrap().2,
            "0/1 nodes are available: 1 Insufficient cpu."
        );

        // There is a core left beside the victim, but not once the other is there too.
        region.pod("late", "1", None).await;
        region.sleep(10).await;
        assert_eq!((region.place("late").await, region.place("major").await), (None, None));
        region.delete("minor").await;
        region.settle().await;
        assert_eq!(region.place("major").await.as_deref(), Some("a1"));
        region.sleep(10).await;
        assert_eq!(region.place("late").await.as_deref(), Some("a1"));
        assert!(region.requests().iter().all(|(_, _, denied)| *denied == 0));
    });
}

#[test]
fn a_pod_that_gains_nothing_from_it_makes_nobody_go() {
    region(1, |region| async move {
        region.node("a1").await;
        region.class("high", 1000).await;
        region.pod("minor", "3", None).await;
        region.settle().await;
        region.create(asking("huge", "9", "high")).await;
        region.settle().await;
        assert!(region.get("minor").await.metadata.deletion_timestamp.is_none());
        let told = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 \
                    Preemption is not helpful for scheduling.";
        assert_eq!(region.scheduled("huge").await.unwrap().2, told);
    });
}
