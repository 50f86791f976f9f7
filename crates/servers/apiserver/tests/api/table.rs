//! What kubectl get asks for.

use http::Request;
use http_body_util::Full;
use serde_json::json;

use crate::region::{DEPLOYMENTS, deployment, in_region};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

#[test]
fn a_list_and_an_object_come_as_rows_with_their_columns() {
    in_region(|region| async move {
        region.post(DEPLOYMENTS, &deployment("web", 2)).await.expect(201);
        for uri in [DEPLOYMENTS.to_owned(), format!("{DEPLOYMENTS}/web")] {
            let table = region.get_as(&uri, TABLE).await.expect(200);
            assert_eq!(table.body["kind"], "Table");
            assert_eq!(table.body["columnDefinitions"][0]["name"], "Name");
            assert_eq!(
                table.body["rows"][0]["cells"].as_array().map(|cells| &cells[..2]),
                Some(&[json!("web"), json!("0/2")][..])
            );
            assert_eq!(table.body["rows"][0]["object"]["kind"], "PartialObjectMetadata");
        }
        let whole = region.get_as(&format!("{DEPLOYMENTS}?includeObject=Object"), TABLE).await.expect(200);
        assert_eq!(whole.body["rows"][0]["object"]["kind"], "Deployment");
        region.get_as(&format!("{DEPLOYMENTS}?includeObject=Some"), TABLE).await.expect(400);
    });
}

#[test]
fn a_watch_of_rows_says_its_columns_once() {
    in_region(|region| async move {
        for name in ["a", "b"] {
            region.post(DEPLOYMENTS, &deployment(name, 1)).await.expect(201);
        }
        let request = Request::builder()
            .uri(format!("{DEPLOYMENTS}?watch=1&timeoutSeconds=5"))
            .header("accept", TABLE)
            .body(Full::default())
            .expect("a request");
        let response = region.send(request).await;
        let mut frames = crate::region::Frames::of(response.into_body());
        let first = frames.next().await.expect("a frame");
        assert_eq!(first["object"]["columnDefinitions"][0]["name"], "Name");
        let second = frames.next().await.expect("a frame");
        assert!(second["object"]["columnDefinitions"].is_null());
        assert_eq!(second["object"]["rows"][0]["cells"][0], "b");
    });
}

#[test]
fn a_bookmark_is_a_row_of_nothing_but_a_revision() {
    in_region(|region| async move {
        let query = "watch=1&timeoutSeconds=5&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
        let request = Request::builder()
            .uri(format!("{DEPLOYMENTS}?{query}"))
            .header("accept", TABLE)
            .body(Full::default())
            .expect("a request");
        let mut frames = crate::region::Frames::of(region.send(request).await.into_body());
        let mark = frames.next().await.expect("a frame");
        assert_eq!(mark["type"], "BOOKMARK");
        assert_eq!(mark["object"]["columnDefinitions"][0]["name"], "Name", "the first frame has them");
        let row = &mark["object"]["rows"][0];
        assert_eq!((&row["cells"][1], &row["cells"][4]), (&json!("0/0"), &json!("<unknown>")));
        assert_eq!(row["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    });
}

#[test]
fn a_scale_comes_as_a_row_too() {
    in_region(|region| async move {
        region.post(DEPLOYMENTS, &deployment("web", 2)).await.expect(201);
        let table = region.get_as(&format!("{DEPLOYMENTS}/web/scale"), TABLE).await.expect(200);
        let names = ["Name", "Desired", "Available", "Age"];
        for (index, name) in names.iter().enumerate() {
            assert_eq!(table.body["columnDefinitions"][index]["name"], *name);
        }
        assert_eq!(table.body["rows"][0]["cells"], json!(["web", 2, 0, "0s"]));
    });
}
