//! Entries of kubeconfig files that get their tokens from this program.

use serde_json::{Value as Json, json};
use straddle_engine::cluster::Login;

/// Returns a kubeconfig with this entry alone.
fn entry(login: &Login) -> Json {
    let Login { name, server, certificate_authority, tls_server_name, namespace, command, arguments } = login;
    let mut cluster = json!({ "server": server, "certificate-authority-data": certificate_authority });
    if let Some(name) = tls_server_name {
        cluster["tls-server-name"] = name.as_str().into();
    }
    let mut context = json!({ "cluster": name, "user": name });
    if let Some(namespace) = namespace {
        context["namespace"] = namespace.as_str().into();
    }
    let exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "command": command, "args": arguments,
        "interactiveMode": "Never", "provideClusterInfo": false,
    });
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": name, "cluster": cluster }],
        "contexts": [{ "name": name, "context": context }],
        "users": [{ "name": name, "user": { "exec": exec } }],
        "current-context": name,
    })
}

/// Returns the text of a kubeconfig file with this entry in it: whatever else is there stays, an entry of
/// the same name is exchanged, and the entry is the current one.
///
/// # Errors
/// If the text is no kubeconfig.
pub(crate) fn merged(text: &str, login: &Login) -> Result<String, String> {
    let entry = entry(login);
    let mut file: Json = if text.trim().is_empty() {
        json!({})
    } else {
        serde_saphyr::from_str(text).map_err(|error| error.to_string())?
    };
    let Some(entries) = file.as_object_mut() else { return Err("it is no table".to_owned()) };
    for key in ["apiVersion", "kind"] {
        entries.entry(key).or_insert_with(|| entry[key].clone());
    }
    for key in ["clusters", "contexts", "users"] {
        let list = entries.entry(key).or_insert_with(|| json!([]));
        if list.is_null() {
            *list = json!([]);
        }
        let Some(list) = list.as_array_mut() else { return Err(format!("its `{key}` is no list")) };
        let ours = &entry[key][0];
        match list.iter_mut().find(|item| item["name"] == ours["name"]) {
            Some(item) => *item = ours.clone(),
            None => list.push(ours.clone()),
        }
    }
    entries.insert("current-context".to_owned(), entry["current-context"].clone());
    serde_saphyr::to_string(&file).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login() -> Login {
        Login {
            name: "main".to_owned(),
            server: "https://a.example".to_owned(),
            certificate_authority: "Q0E=".to_owned(),
            tls_server_name: None,
            namespace: None,
            command: "straddle".to_owned(),
            arguments: vec!["token".to_owned()],
        }
    }

    fn read(text: &str) -> Json {
        serde_saphyr::from_str(text).unwrap()
    }

    #[test]
    fn an_entry_is_added_to_what_is_there_and_exchanged_later() {
        let theirs = "apiVersion: v1\nclusters:\n- name: other\n  cluster: {server: https://b}\nusers: null\n\
                      current-context: other\npreferences: {colors: true}\n";
        let once = merged(theirs, &login()).unwrap();
        let file = read(&once);
        assert_eq!(file["clusters"][0]["cluster"]["server"], "https://b");
        assert_eq!(file["clusters"][1]["cluster"]["server"], "https://a.example");
        assert_eq!(
            (&file["current-context"], &file["preferences"]["colors"]),
            (&json!("main"), &json!(true))
        );
        assert_eq!(file["users"][0]["user"]["exec"]["args"], json!(["token"]));
        let moved = Login { server: "https://c".to_owned(), namespace: Some("shop".to_owned()), ..login() };
        let file = read(&merged(&once, &moved).unwrap());
        assert_eq!(file["clusters"].as_array().unwrap().len(), 2);
        assert_eq!(file["clusters"][1]["cluster"]["server"], "https://c");
        assert_eq!(file["contexts"][0]["context"]["namespace"], "shop");
    }

    #[test]
    fn an_empty_file_gets_the_entry_and_another_file_is_left_alone() {
        assert_eq!(read(&merged("", &login()).unwrap()), entry(&login()));
        merged("- a\n", &login()).unwrap_err();
        merged("clusters: {}\n", &login()).unwrap_err();
    }
}
