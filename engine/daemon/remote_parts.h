// SPDX-License-Identifier: Apache-2.0
//
// The parts of one evaluation that a Prometheus answers: asked for all at once, about the same
// instant, and given all or not at all: what is missing must not look like what has ended.
//
// Loop thread only, but for answer_over().
#pragma once

#include <functional>
#include <vector>

#include "promql/split.h"
#include "source/remote_query.h"
#include "tocsin/promql.h"

namespace tocsin::daemon {

class PartsReader;

struct FetchedParts {
  std::vector<promql::Matrix> parts;  // As in Split::parts.
  promql::Annotations annotations;
};
using FetchedCallback = std::function<void(Result<FetchedParts>)>;

// `done` is called once. Nothing of the arguments is used after this returns, but `done`.
void fetch_parts(source::RemoteQuery& remote, const promql::Split& split,
                 const promql::Steps& steps, FetchedCallback done);

// Lays what was fetched over the reader's store and gives what `evaluate` then answers, along with
// what the other side had to say. On any thread, one at a time for a reader.
Result<promql::Answer> answer_over(PartsReader& reader, FetchedParts fetched,
                                   const std::function<Result<promql::Answer>()>& evaluate);

}  // namespace tocsin::daemon
