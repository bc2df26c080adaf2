// SPDX-License-Identifier: Apache-2.0
//
// /graph?g0.expr=…: where the link of an alert leads. The expression, what it says now, and the way
// back; the address is Prometheus'.
#include <algorithm>

#include "api/handlers.h"
#include "api/html_writer.h"
#include "api/page.h"
#include "api/page_style.h"
#include "promql/histogram_notation.h"
#include "tocsin/sample.h"

namespace tocsin::api {
namespace {

constexpr std::size_t kMostRows = 200;

void write_row(HtmlWriter& html, const Labels& labels, std::string_view value) {
  html.raw("<tr><th scope=\"row\" class=\"mono\">").text(labels.text());
  html.raw("</th><td class=\"n\">").text(value).raw("</td></tr>");
}

void write_value(HtmlWriter& html, const promql::Value& value) {
  if (const auto* scalar = std::get_if<Sample>(&value)) {
    return write_row(html, {}, format_number(scalar->value));
  }
  const auto* vector = std::get_if<promql::Vector>(&value);
  if (!vector || vector->empty()) {
    html.raw("<tr><td>Nothing at the moment.</td></tr>");
    return;
  }
  const std::size_t shown = std::min(vector->size(), kMostRows);
  for (std::size_t i = 0; i < shown; ++i) {
    const promql::Element& element = (*vector)[i];
    write_row(html, element.labels,
              element.histogram ? promql::histogram_text(*element.histogram)
                                : format_number(element.sample.value));
  }
  if (shown < vector->size()) {
    html.raw("<tr><td>and ").number(vector->size() - shown).raw(" more</td></tr>");
  }
}

std::string graph_html(const std::string& expr, const Result<promql::Answer>& answer) {
  HtmlWriter html;
  html.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
  html.raw("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">");
  html.raw("<title>Tocsin: an expression</title><style>").raw(kPageStyle);
  html.raw(
      "</style></head>\n<body><header><b>Tocsin</b><a href=\"./\">what is firing</a></header>");
  html.raw("<main><h2>Expression</h2><p class=\"mono\">").text(expr).raw("</p><h2>Now</h2>");
  if (answer) {
    html.raw("<table>");
    write_value(html, answer->value);
    html.raw("</table>");
  } else {
    html.raw("<p class=\"error\">").text(answer.error().message).raw("</p>");
  }
  html.raw("</main></body></html>\n");
  return html.take();
}

}  // namespace

void graph_page(const Call& call) {
  QueryRequest request;
  request.expr = call.request.param("g0.expr");
  request.start = request.end = call.backend.now();
  request.timeout = std::chrono::seconds(30);
  request.gone = call.request.gone;
  call.backend.query(request, [call, expr = request.expr](const Result<promql::Answer>& answer) {
    reply_html(call, graph_html(expr, answer));
  });
}

}  // namespace tocsin::api
