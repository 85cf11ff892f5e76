//! The Markdown text as one self-contained page, with every figure inside as SVG.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use crate::error::{Error, Result};
use crate::figure::Figure;

const STYLE: &str = include_str!("page.css");

/// The page; `title` heads the browser's window.
///
/// # Errors
/// When a figure's SVG cannot be read.
pub(super) fn page(title: &str, markdown: &str, figures: &[Figure]) -> Result<String> {
    let mut drawings = Vec::new();
    for figure in figures {
        let svg = std::fs::read_to_string(&figure.svg).map_err(Error::io("read", &figure.svg))?;
        drawings.push((format!("figures/{}.svg", figure.name), svg));
    }
    let mut inside_image = false;
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).filter_map(|event| match event {
        Event::Start(Tag::Image { dest_url, .. }) => {
            inside_image = true;
            // The drawing carries its own title, for those who cannot see it.
            let drawing = drawings.iter().find(|(link, _)| **link == *dest_url);
            let figure = drawing.map_or(String::new(), |(_, svg)| format!("<figure>{svg}</figure>"));
            Some(Event::InlineHtml(CowStr::from(figure)))
        }
        Event::End(TagEnd::Image) => {
            inside_image = false;
            None
        }
        // The alternative text of a figure that is drawn in place.
        Event::Text(_) if inside_image => None,
        // The report itself holds no HTML: what looks like it is a name of the user's, and is shown as it is written.
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        other => Some(other),
    });
    let mut body = String::new();
    html::push_html(&mut body, events);
    // Wide tables scroll by themselves on a narrow screen.
    let body = body.replace("<table>", "<div class=\"table\"><table>").replace("</table>", "</table></div>");
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         {body}</main>\n</body>\n</html>\n",
        escaped(title)
    ))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_like_html_are_text_wherever_they_stand() {
        let name = "<img src=x onerror=alert(2)>";
        let markdown = format!("# {name}\n\n| data |\n|---|\n| {name} |\n\n<script>alert(1)</script>\n\n- of {name}\n");
        let page = page(name, &markdown, &[]).unwrap();
        assert!(!page.contains("<img") && !page.contains("<script"), "{page}");
        // The title, the heading, the cell and the item.
        assert_eq!(page.matches("&lt;img src=x onerror=alert(2)&gt;").count(), 4, "{page}");
    }
}
