//! The `Content-Type` of an image, by its name.

use std::path::Path;

use encord_upload::ItemKind;
use serde_json::json;

use super::sdk;

/// Every ending for which Python 3.8 to 3.14 knows an image type, in the cases that people use, and names of other files that
/// end up among images.
const NAMES: &[&str] = &[
    "a.bmp",
    "a.BMP",
    "a.gif",
    "a.GIF",
    "a.ief",
    "a.jpg",
    "a.JPG",
    "a.Jpg",
    "a.jpe",
    "a.jpeg",
    "a.JPEG",
    "a.png",
    "a.PNG",
    "a.svg",
    "a.SVG",
    "a.tiff",
    "a.TIFF",
    "a.tif",
    "a.TIF",
    "a.ico",
    "a.ICO",
    "a.ras",
    "a.pnm",
    "a.pbm",
    "a.pgm",
    "a.ppm",
    "a.rgb",
    "a.xbm",
    "a.xpm",
    "a.xwd",
    "a.heic",
    "a.HEIC",
    "a.heif",
    "a.avif",
    "a.webp",
    "a.WEBP",
    "a.jxl",
    "a.jp2",
    "a.dng",
    "a.psd",
    "a.exr",
    // Looked through a compression, or not.
    "a.svgz",
    "a.SVGZ",
    "a.svg.gz",
    "a.jpg.gz",
    "a.jpg.Z",
    "a.jpg.z",
    "a.png.bz2",
    "a.png.xz",
    "a.png.br",
    "a.jpg.zip",
    // Folders, dots, blanks and scripts.
    "/x/y.png/a.jpg",
    "x.jpg/a",
    "a.b.c.jpg",
    "a..jpg",
    ".jpg",
    "..jpg",
    "jpg",
    "a",
    "a.",
    "a.jpg.",
    "a.jpg ",
    "a b.jpg",
    "猫.jpg",
    "a.猫",
    "a.jpg.bak",
    "a.jpg~",
    // What requests would read as a URL.
    "a:b.jpg",
    "a?b.jpg",
    "a#b.jpg",
    "a%2ejpg",
    // Other types.
    "a.mp4",
    "a.dcm",
    "a.txt",
    "a.pdf",
    "a.json",
    "a.gz",
];

/// Names for which ours is not the SDK's: a Python that knows no type leaves the header out. No image type that Python knows is
/// among them. Other Pythons, and machines with a table of their own, know some of these.
const DIFFERENCES: &[(&str, Option<&str>)] = &[
    // Python calls it non-standard before 3.13, and then finds it only when asked for those too.
    ("a.webp", Some("image/webp")),
    ("a.WEBP", Some("image/webp")),
    // Registered types that no Python has.
    ("a.jp2", Some("image/jp2")),
    ("a.jxl", Some("image/jxl")),
    ("a.dng", Some("image/x-adobe-dng")),
    ("a.psd", Some("application/octet-stream")),
    ("a.jpg.z", Some("application/x-compress")),
];

#[test]
fn u8_content_types_are_those_of_both_sdks() {
    let home = tempfile::tempdir().unwrap();
    for sdk in ["seed", "current"] {
        let Some(answers) = sdk::ask(sdk, home.path(), &json!({"uploads": [], "names": NAMES})) else { continue };
        assert_eq!(answers.content_types.len(), NAMES.len());
        for (name, theirs) in NAMES.iter().zip(&answers.content_types) {
            let ours = ItemKind::Image.content_type(Path::new(name));
            let ours = ours.as_ref().map(|value| value.to_str().unwrap());
            let on_purpose = theirs.is_none() && DIFFERENCES.contains(&(*name, ours));
            assert!(theirs.as_deref() == ours || on_purpose, "{name}: {theirs:?} by the {sdk} SDK, {ours:?} by ours");
        }
    }
}
