//! The files of a `.tgz`.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

use super::{ChartError, ChartFile, LARGEST_CHART, LARGEST_FILE, MOST_FILES};

/// Reads the files of an archive, without the folder that all of them are in.
pub(super) fn files(bytes: &[u8]) -> Result<Vec<ChartFile>, ChartError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(ChartError::Archive("it is not compressed by gzip".to_owned()));
    }
    let told = |error: std::io::Error| ChartError::Archive(error.to_string());
    // Counts what is unpacked, so that a small archive cannot fill the memory.
    let mut archive = Archive::new(MultiGzDecoder::new(bytes).take(LARGEST_CHART));
    let mut files = Vec::new();
    for entry in archive.entries().map_err(told)? {
        let mut entry = entry.map_err(told)?;
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {}
            EntryType::Directory | EntryType::XGlobalHeader | EntryType::XHeader => continue,
            other => {
                return Err(ChartError::Refused(format!(
                    "{} in the archive is no file but a {other:?}",
                    String::from_utf8_lossy(&entry.path_bytes()).escape_debug()
                )));
            }
        }
        let name = name_of(&String::from_utf8_lossy(&entry.path_bytes()))?;
        if entry.size() > LARGEST_FILE {
            return Err(ChartError::Refused(format!("{name} has more than {LARGEST_FILE} bytes")));
        }
        if files.len() == MOST_FILES {
            return Err(ChartError::Refused(format!("it has more than {MOST_FILES} files")));
        }
        let mut data = Vec::new();
        entry.read_to_end(&mut data).map_err(told)?;
        files.push(ChartFile { name, data });
    }
    // What is left is nothing but an end, and a checksum that has to be right.
    let mut rest = archive.into_inner();
    std::io::copy(&mut rest, &mut std::io::sink()).map_err(told)?;
    if rest.limit() == 0 {
        return Err(ChartError::Refused(format!("its files have more than {LARGEST_CHART} bytes")));
    }
    if files.is_empty() {
        return Err(ChartError::Archive("there are no files in it".to_owned()));
    }
    Ok(files)
}

/// Returns the path in the chart of something in an archive.
fn name_of(path: &str) -> Result<String, ChartError> {
    let refused = |why: &str| ChartError::Refused(format!("{} in the archive {why}", path.escape_debug()));
    // Windows writes the other slash.
    let path_with_slashes = if path.contains('/') { path.to_owned() } else { path.replace('\\', "/") };
    if path_with_slashes == "Chart.yaml" {
        return Err(refused("has to be in a folder"));
    }
    let parts: Vec<&str> =
        path_with_slashes.split('/').skip(1).filter(|part| !matches!(*part, "" | ".")).collect();
    let has_drive = parts.first().is_some_and(|first| first.contains(':'));
    if path.starts_with('/') || has_drive || parts.is_empty() || parts.contains(&"..") || path.contains('\0')
    {
        return Err(refused("leads out of the chart's folder"));
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
pub(super) mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tar::{Builder, Header};

    use super::*;
    use crate::helm::chart::Chart;

    /// Packs entries as they are, also those that no archive should have.
    fn packed(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, kind, data) in entries {
            let mut header = Header::new_gnu();
            header.as_gnu_mut().expect("it is one").name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(data.len() as u64);
            header.set_mode(0o644);
            if *kind == EntryType::Symlink {
                header.set_link_name("/etc/passwd").expect("it is short");
            }
            header.set_cksum();
            builder.append(&header, *data).expect("it is written to memory");
        }
        builder.into_inner().and_then(GzEncoder::finish).expect("it is written to memory")
    }

    const METADATA: &[u8] = b"apiVersion: v2\nname: web\nversion: 1.0.0\n";

    #[test]
    fn an_archive_is_a_chart() {
        let inner =
            packed(&[("db/Chart.yaml", EntryType::Regular, b"apiVersion: v2\nname: db\nversion: 2.0.0\n")]);
        let bytes = packed(&[
            ("web/", EntryType::Directory, b""),
            ("web/Chart.yaml", EntryType::Regular, METADATA),
            ("web/./values.yaml", EntryType::Regular, b"\xef\xbb\xbfa: 1\n"),
            ("web/templates/a.yaml", EntryType::Regular, b"x"),
            ("web/charts/db-2.0.0.tgz", EntryType::Regular, &inner),
            ("web/charts/README.md", EntryType::Regular, b"x"),
            ("web/crds/one.yaml", EntryType::Regular, b"x"),
        ]);
        let chart = Chart::from_archive(&bytes).expect("it is a chart");
        assert_eq!((chart.name(), &chart.values["a"]), ("web", &serde_json::json!(1)));
        assert_eq!(chart.templates[0].name, "templates/a.yaml");
        assert_eq!(chart.charts[0].name(), "db");
        assert_eq!(chart.crd_files().count(), 1);
    }

    #[test]
    fn what_is_no_chart_is_refused() {
        let large = vec![b' '; 6 << 20];
        for (bytes, expected) in [
            (b"PK".to_vec(), "the archive is no chart: it is not compressed by gzip"),
            (packed(&[]), "the archive is no chart: there are no files in it"),
            (
                packed(&[("web/a", EntryType::Regular, b"")]),
                "the chart is refused: Chart.yaml file is missing",
            ),
            (
                packed(&[("Chart.yaml", EntryType::Regular, METADATA)]),
                "the chart is refused: Chart.yaml in the archive has to be in a folder",
            ),
            (
                packed(&[("web/../../a", EntryType::Regular, b"")]),
                "the chart is refused: web/../../a in the archive leads out of the chart's folder",
            ),
            (
                packed(&[("/etc/a", EntryType::Regular, b"")]),
                "the chart is refused: /etc/a in the archive leads out of the chart's folder",
            ),
            (
                packed(&[("web/a", EntryType::Symlink, b"")]),
                "the chart is refused: web/a in the archive is no file but a Symlink",
            ),
            (
                packed(&[("web/a", EntryType::Regular, &large)]),
                "the chart is refused: a has more than 5242880 bytes",
            ),
            (
                packed(&[("web/Chart.yaml", EntryType::Regular, b"name: [")]),
                "Chart.yaml of the chart: yaml: line ",
            ),
            (
                packed(&[(
                    "web/Chart.yaml",
                    EntryType::Regular,
                    b"apiVersion: v2\nname: a/b\nversion: 1.0.0",
                )]),
                "Chart.yaml of the chart: \"a/b\" is no name of a chart",
            ),
            (
                packed(&[("web/Chart.yaml", EntryType::Regular, b"apiVersion: v2\nname: a\nversion: one")]),
                "Chart.yaml of the chart: \"one\" is no version",
            ),
        ] {
            let problem = Chart::from_archive(&bytes).expect_err(expected).to_string();
            assert!(problem.starts_with(expected), "{problem}");
        }
    }

    #[test]
    fn a_cut_archive_is_refused_wherever_it_is_cut() {
        let bytes = packed(&[
            ("web/Chart.yaml", EntryType::Regular, METADATA),
            ("web/templates/a.yaml", EntryType::Regular, b"a: 1\n"),
        ]);
        for length in 0..bytes.len() - 8 {
            assert!(Chart::from_archive(&bytes[..length]).is_err(), "{length} of {}", bytes.len());
        }
    }
}
