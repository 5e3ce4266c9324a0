//! A page with version trees, in one file that needs no network: picture, search, zoom. Pure.
//!
//! Names are only ever text of the picture; the script reads them from there, so that none can become a part of it. The
//! page's own policy lets it load nothing.

use super::layout::place;
use super::svg::{element, escaped};
use super::tree::{Tree, shown};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A page of these trees.
pub fn html(trees: &[Tree]) -> String {
    let names: Vec<String> = trees.iter().map(|tree| shown(&tree.name)).collect();
    let title = escaped(&names.join(", "));
    let picture = element(&place(trees));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'\">\n<title>{title} - version tree</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>{title}</h1>\n\
         <input id=\"search\" type=\"search\" placeholder=\"Search (/)\" \
         title=\"Version, label, author, comment; Enter: the next\">\n\
         <output id=\"count\"></output>\n\
         <button id=\"out\" title=\"Smaller (-)\">\u{2212}</button><button id=\"in\" title=\"Larger (+)\">+</button>\n\
         <button id=\"whole\" title=\"The whole tree (0)\">Fit</button>\
         <button id=\"natural\" title=\"Natural size (1)\">1:1</button></header>\n\
         <main>{picture}</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::super::tree::tests::{DEFAULT, tree};
    use super::*;

    #[test]
    fn the_page_stands_alone_and_names_cannot_leave_the_picture() {
        let mut tree = tree(&["/main", "/main/0 </script><script>alert(1) *"], DEFAULT);
        tree.name = b"</title><script>\xff".to_vec();
        let page = html(&[tree]);
        assert_eq!(page.matches("<script>").count(), 1, "{page}");
        assert_eq!(page.matches("</script>").count(), 1);
        assert!(page.contains("&lt;/title&gt;&lt;script&gt;\u{fffd} - version tree"));
        let addresses = page.matches("http").count();
        let namespace_and_policy =
            page.matches("http://www.w3.org/2000/svg").count() + page.matches("http-equiv").count();
        assert_eq!(addresses, namespace_and_policy);
        assert!(!page.contains("src=") && !page.contains("href="));
    }
}
