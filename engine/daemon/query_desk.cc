// SPDX-License-Identifier: Apache-2.0
#include "daemon/query_desk.h"

#include <set>

#include "alert/rule_life.h"
#include "daemon/parts_reader.h"
#include "daemon/remote_parts.h"
#include "promql/ast.h"

namespace tocsin::daemon {
namespace {

using std::chrono::nanoseconds;

// How long a range query may keep those waiting who have something to write.
constexpr nanoseconds kLongestTurn = std::chrono::milliseconds(5);

// The store's lock for reading, which now and then lets the writers in.
class ReadingTurn {
 public:
  ReadingTurn(const store::Store& store, const Clock& clock)
      : store_(store), clock_(clock), lock_(store.lock_for_read()), since_(clock.ticks()) {}

  void give_way() {
    if (clock_.ticks() - since_ < kLongestTurn) return;
    lock_.unlock();
    lock_ = store_.lock_for_read();
    since_ = clock_.ticks();
  }

 private:
  const store::Store& store_;
  const Clock& clock_;
  std::shared_lock<std::shared_mutex> lock_;
  nanoseconds since_;
};

// Evaluates one query under its limits.
class Evaluation {
 public:
  Evaluation(const api::QueryRequest& request, nanoseconds deadline, const Clock& clock)
      : request_(request), deadline_(deadline), clock_(clock) {}

  Result<promql::Answer> run(promql::Query& query, const store::SeriesReader& reader,
                             const store::Store& store) const {
    if (is_late()) return fail(ErrorCode::Timeout, "query timed out in query queue");
    ReadingTurn turn(store, clock_);
    promql::QueryOptions options;
    options.is_canceled = [this] { return is_gone() || is_late(); };
    options.pause = [&turn] { turn.give_way(); };
    query.set_options(std::move(options));
    const bool is_instant = request_.step.count() == 0;
    auto answer = is_instant
                      ? query.evaluate(reader, request_.start)
                      : query.evaluate_range(reader, request_.start, request_.end, request_.step);
    query.set_options({});  // What they speak of ends here.
    if (answer || answer.error().code != ErrorCode::Canceled || is_gone()) return answer;
    return fail(ErrorCode::Timeout, "query timed out in expression evaluation");
  }

 private:
  bool is_gone() const { return request_.gone && *request_.gone; }
  bool is_late() const { return clock_.ticks() > deadline_; }

  const api::QueryRequest& request_;
  const nanoseconds deadline_;
  const Clock& clock_;
};

// Calls `visit(labels)` for every series that matches; some may come more than once.
template <class Visit>
Result<void> visit_series(const store::Store& store, const std::vector<std::string>& selectors,
                          Visit visit) {
  std::vector<Matchers> wanted;
  for (const std::string& text : selectors) {
    const auto expr = promql::parse(text);
    const auto* selector = expr ? promql::as<promql::VectorSelector>(**expr) : nullptr;
    if (!selector) return fail(ErrorCode::InvalidArgument, "not a selector: " + text);
    wanted.push_back(selector->matchers);
  }
  if (wanted.empty()) wanted.emplace_back();  // Everything.
  const auto lock = store.lock_for_read();
  for (const Matchers& matchers : wanted) {
    for (const store::SeriesId id : store.select(matchers)) visit(store.labels(id));
  }
  return {};
}

Result<std::vector<Labels>> series_in(const store::Store& store, const api::SeriesRequest& request,
                                      std::vector<Labels> found) {
  std::set<Labels> all(std::make_move_iterator(found.begin()),
                       std::make_move_iterator(found.end()));
  const auto visited =
      visit_series(store, request.selectors, [&](const Labels& labels) { all.insert(labels); });
  if (!visited) return fail(visited.error());
  return std::vector<Labels>(all.begin(), all.end());
}

Result<api::Texts> label_names_in(const store::Store& store, const api::SeriesRequest& request,
                                  api::Texts found) {
  const auto visited = visit_series(store, request.selectors, [&](const Labels& labels) {
    for (const LabelView& label : labels) found.emplace(label.name);
  });
  if (!visited) return fail(visited.error());
  return found;
}

Result<api::Texts> label_values_in(const store::Store& store, const api::SeriesRequest& request,
                                   const std::string& label, api::Texts found) {
  const auto visited = visit_series(store, request.selectors, [&](const Labels& labels) {
    if (labels.has(label)) found.emplace(labels.get(label));
  });
  if (!visited) return fail(visited.error());
  return found;
}

// Adds what is here to what the other side found, which may have failed.
template <class Found, class Add, class Done>
auto then_add(const EvaluationParts& parts, Add add, Done done) {
  return [parts, add = std::move(add), done = std::move(done)](Result<Found> found) {
    if (!found) return done(fail(found.error()));
    auto work = [add, found = std::move(*found)]() mutable { return add(std::move(found)); };
    net::run_on(parts.workers, parts.loop, std::move(work), done);
  };
}

}  // namespace

void QueryDesk::share_with(source::RemoteQuery* remote, LocalNames local_names) {
  remote_ = remote;
  local_names_ = std::move(local_names);
}

void QueryDesk::answer(const api::QueryRequest& request, api::QueryCallback done) {
  const nanoseconds deadline = clock_.ticks() + request.timeout;
  gate_.enter(request.timeout, [this, request, deadline,
                                done = std::move(done)](Result<QueryGate::Ticket> ticket) {
    if (!ticket) return done(fail(ticket.error()));
    start({request, deadline, [ticket = std::move(*ticket), done](Result<promql::Answer> answer) {
             done(std::move(answer));
           }});
  });
}

void QueryDesk::ask(std::string expr, Timestamp at, api::QueryCallback done) {
  api::QueryRequest request;
  request.expr = std::move(expr);
  request.start = request.end = at;
  if (remote_) request.timeout = remote_->config().timeout;
  const nanoseconds deadline = clock_.ticks() + request.timeout;
  start({std::move(request), deadline, std::move(done)});
}

void QueryDesk::start(Job job) {
  if (!remote_) return answer_here(std::move(job));
  const auto expr = promql::parse(job.request.expr);
  // The other side may know more than we do; it says itself what it does not know.
  if (!expr) return pass_on(std::move(job));
  promql::Split split =
      promql::split(*expr, [this](std::string_view name) { return local_names_.contains(name); });
  if (split.is_whole) return pass_on(std::move(job));
  if (split.parts.empty()) return answer_here(std::move(job));
  answer_shared(std::move(job), std::move(split));
}

void QueryDesk::answer_here(Job job) {
  auto work = [this, request = job.request, deadline = job.deadline] {
    return evaluate(request, deadline);
  };
  net::run_on(parts_.workers, parts_.loop, std::move(work), std::move(job.done));
}

void QueryDesk::pass_on(Job job) {
  const api::QueryRequest& request = job.request;
  source::RemoteQuery remote = remote_->within(request.timeout);
  if (request.step.count() == 0) {
    return remote.instant(request.expr, request.start, std::move(job.done));
  }
  remote.range(request.expr, {request.start, request.end, request.step}, std::move(job.done));
}

void QueryDesk::answer_shared(Job job, promql::Split split) {
  const promql::Steps steps{job.request.start, job.request.end, job.request.step};
  const auto shared = std::make_shared<const promql::Split>(std::move(split));
  source::RemoteQuery remote = remote_->within(job.request.timeout);
  fetch_parts(remote, *shared, steps,
              [this, shared, job = std::move(job)](Result<FetchedParts> fetched) {
                if (!fetched) return job.done(fail(fetched.error()));
                auto work = [this, shared, request = job.request, deadline = job.deadline,
                             fetched = std::move(*fetched)]() mutable {
                  return evaluate_shared(request, deadline, *shared, std::move(fetched));
                };
                net::run_on(parts_.workers, parts_.loop, std::move(work), job.done);
              });
}

Result<promql::Answer> QueryDesk::evaluate_shared(const api::QueryRequest& request,
                                                  nanoseconds deadline, const promql::Split& split,
                                                  FetchedParts fetched) const {
  PartsReader reader(parts_.store);
  auto plan = promql::Query::prepare(split.rest);
  return answer_over(reader, std::move(fetched), [&] {
    return Evaluation(request, deadline, clock_).run(plan, reader, parts_.store);
  });
}

Result<promql::Answer> QueryDesk::evaluate(const api::QueryRequest& request,
                                           nanoseconds deadline) const {
  auto plan = plans_.take(request.expr);
  if (!plan) {
    const auto expr = promql::parse(request.expr);
    if (!expr) {
      const promql::Problem& problem = expr.error();
      return fail(ErrorCode::Parse,
                  "1:" + std::to_string(problem.begin + 1) + ": parse error: " + problem.message);
    }
    plan = promql::Query::prepare(*expr);
  }
  auto answer = Evaluation(request, deadline, clock_).run(*plan, parts_.store, parts_.store);
  plans_.put(request.expr, std::move(*plan));
  return answer;
}

Result<promql::Vector> QueryDesk::answer_now(std::string_view expr, Timestamp at) const {
  if (remote_) return fail(ErrorCode::Unavailable, "templates cannot query a remote Prometheus");
  api::QueryRequest request;
  request.expr = expr;
  request.start = request.end = at;
  const auto answered = evaluate(request, clock_.ticks() + request.timeout);
  if (!answered) return fail(answered.error());
  return alert::as_vector(answered->value);
}

void QueryDesk::find_series(const api::SeriesRequest& request, api::SeriesCallback done) {
  auto add = then_add<std::vector<Labels>>(
      parts_,
      [&store = parts_.store, request](std::vector<Labels> found) {
        return series_in(store, request, std::move(found));
      },
      std::move(done));
  if (!remote_) return add(std::vector<Labels>());
  remote_->series({request.selectors, request.start, request.end}, std::move(add));
}

void QueryDesk::find_label_names(const api::SeriesRequest& request, api::TextsCallback done) {
  auto add = then_add<api::Texts>(
      parts_,
      [&store = parts_.store, request](api::Texts found) {
        return label_names_in(store, request, std::move(found));
      },
      std::move(done));
  if (!remote_) return add(api::Texts());
  remote_->label_names({request.selectors, request.start, request.end}, std::move(add));
}

void QueryDesk::find_label_values(const std::string& label, const api::SeriesRequest& request,
                                  api::TextsCallback done) {
  auto add = then_add<api::Texts>(
      parts_,
      [&store = parts_.store, request, label](api::Texts found) {
        return label_values_in(store, request, label, std::move(found));
      },
      std::move(done));
  if (!remote_) return add(api::Texts());
  remote_->label_values(label, {request.selectors, request.start, request.end}, std::move(add));
}

}  // namespace tocsin::daemon
