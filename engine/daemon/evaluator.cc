// SPDX-License-Identifier: Apache-2.0
#include "daemon/evaluator.h"

#include <algorithm>

namespace tocsin::daemon {
namespace {

class StoreExpr : public PreparedExpr {
 public:
  StoreExpr(promql::ExprPtr expr, const store::Store& store, net::Executor& workers,
            net::Executor& loop)
      : query_(std::make_shared<promql::Query>(promql::Query::prepare(std::move(expr)))),
        store_(store),
        workers_(workers),
        loop_(loop) {}

  void evaluate(Timestamp at, Callback done) override {
    net::run_on(
        workers_, loop_,
        [query = query_, &store = store_, at] {
          const auto lock = store.lock_for_read();
          return query->evaluate(store, at);
        },
        std::move(done));
  }

 private:
  const std::shared_ptr<promql::Query> query_;  // Shared with the worker that evaluates it.
  const store::Store& store_;
  net::Executor& workers_;
  net::Executor& loop_;
};

class RemoteExpr : public PreparedExpr {
 public:
  RemoteExpr(const promql::Expr& expr, source::RemoteQuery& remote,
             RemoteEvaluator::Observer observe)
      : text_(promql::print(expr)), remote_(remote), observe_(std::move(observe)) {}

  void evaluate(Timestamp at, Callback done) override {
    remote_.instant(text_, at,
                    [observe = observe_, done = std::move(done)](Result<promql::Answer> answer) {
                      observe(answer);
                      done(std::move(answer));
                    });
  }

 private:
  const std::string text_;
  source::RemoteQuery& remote_;
  const RemoteEvaluator::Observer observe_;
};

// The metric that a selector names with `=`; empty where it does not.
std::string name_of(const promql::Need& need) {
  for (const Matcher& matcher : need.matchers) {
    if (matcher.name() == kMetricName && matcher.op() == Matcher::Op::Equal) return matcher.value();
  }
  return {};
}

}  // namespace

std::unique_ptr<PreparedExpr> StoreEvaluator::prepare(promql::ExprPtr expr) {
  return std::make_unique<StoreExpr>(std::move(expr), store_, workers_, loop_);
}

std::unique_ptr<PreparedExpr> RemoteEvaluator::prepare(promql::ExprPtr expr) {
  const auto needs = promql::needs_of(*expr);
  const bool is_local = std::all_of(needs.begin(), needs.end(), [&](const promql::Need& need) {
    return local_names_.count(name_of(need)) > 0;
  });
  if (is_local) return local_.prepare(std::move(expr));
  return std::make_unique<RemoteExpr>(*expr, remote_, observe_);
}

}  // namespace tocsin::daemon
