//! What every namespace has.

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ServiceAccount};
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::support::region;

#[test]
fn a_namespace_has_its_account_and_certificates_and_gets_them_back() {
    region(1, |region| async move {
        let shop: Namespace = serde_json::from_value(json!({"metadata": {"name": "shop"}})).unwrap();
        let namespaces = Api::<Namespace>::all(region.client.clone());
        namespaces.create(&PostParams::default(), &shop).await.unwrap();
        region.sleep(1).await;
        let accounts = Api::<ServiceAccount>::namespaced(region.client.clone(), "shop");
        let maps = Api::<ConfigMap>::namespaced(region.client.clone(), "shop");
        let first = accounts.get("default").await.unwrap();
        let certificates = |map: ConfigMap| map.data.unwrap()["ca.crt"].clone();
        assert_eq!(certificates(maps.get("kube-root-ca.crt").await.unwrap()), mainstay_pki::NOBODY);

        accounts.delete("default", &DeleteParams::default()).await.unwrap();
        maps.delete("kube-root-ca.crt", &DeleteParams::default()).await.unwrap();
        region.sleep(1).await;
        assert_ne!(accounts.get("default").await.unwrap().metadata.uid, first.metadata.uid);
        let spoiled = Patch::Merge(json!({"data": {"ca.crt": "no", "more": "x"}}));
        maps.patch("kube-root-ca.crt", &PatchParams::default(), &spoiled).await.unwrap();
        region.sleep(1).await;
        let map = maps.get("kube-root-ca.crt").await.unwrap();
        assert_eq!(map.data.as_ref().unwrap().len(), 1);
        assert_eq!(certificates(map), mainstay_pki::NOBODY);

        namespaces.delete("shop", &DeleteParams::default()).await.unwrap();
        region.sleep(30).await;
        assert!(namespaces.get_opt("shop").await.unwrap().is_none(), "nothing is made in it any more");
        region.assert_well();
    });
}
