// SPDX-License-Identifier: Apache-2.0
//
// What each path of the HTTP API does, one function a path; the routes stand in server.cc. Each
// answers its call exactly once, at once or when the backend has answered.
//
// Loop thread only.
#pragma once

#include "api/call.h"

namespace tocsin::api {

// query_api.cc
void query(const Call& call);
void query_range(const Call& call);

// series_api.cc
void series(const Call& call);
void label_names(const Call& call);
void label_values(const Call& call);  // The argument is the label's name.

// metadata_api.cc
void metadata(const Call& call);
void query_exemplars(const Call& call);
void format_query(const Call& call);

// write_api.cc
void write(const Call& call);

// federate.cc
void federate(const Call& call);

// rules_api.cc
void rules(const Call& call);
void alerts(const Call& call);

// silences_api.cc
void silences(const Call& call);
void silence(const Call& call);  // The argument is its id.
void alertmanager_status(const Call& call);

// targets_api.cc
void targets(const Call& call);

// status_api.cc
void replica(const Call& call);
void build_info(const Call& call);
void tsdb_status(const Call& call);
void healthy(const Call& call);
void ready(const Call& call);
void reload(const Call& call);
void own_metrics(const Call& call);
void web_page(const Call& call);
void kept_page(const Call& call);
// A page, with the headers that keep it to itself.
void reply_html(const Call& call, std::string body);

// graph_page.cc
void graph_page(const Call& call);

}  // namespace tocsin::api
