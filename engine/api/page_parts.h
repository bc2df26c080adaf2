// SPDX-License-Identifier: Apache-2.0
//
// The parts of the page, from top to bottom. Pure.
#pragma once

#include "api/html_writer.h"
#include "api/page_view.h"

namespace tocsin::api {

// page_problems.cc: what keeps Tocsin from seeing, thinking or telling.
void write_problems(HtmlWriter& html, const PageView& view);

// page_alerts.cc
void write_firing(HtmlWriter& html, const PageView& view);
void write_pending(HtmlWriter& html, const PageView& view);

// page_history.cc: what happened lately.
void write_history(HtmlWriter& html, const PageView& view);

// page_tables.cc
void write_groups(HtmlWriter& html, const PageView& view);
void write_targets(HtmlWriter& html, const PageView& view);
void write_receivers(HtmlWriter& html, const PageView& view);

// page_kept.cc: the metrics with the most series.
void write_kept(HtmlWriter& html, const PageView& view);

}  // namespace tocsin::api
