// SPDX-License-Identifier: Apache-2.0
#include "daemon/evaluator.h"

#include "daemon/parts_reader.h"
#include "daemon/remote_parts.h"

namespace tocsin::daemon {
namespace {

class StoreExpr : public PreparedExpr {
 public:
  StoreExpr(promql::ExprPtr expr, const EvaluationParts& parts, SharedValuesPtr shared)
      : query_(std::make_shared<promql::Query>(
            promql::Query::prepare(std::move(expr), {.shared = std::move(shared)}))),
        parts_(parts) {}

  void evaluate(Timestamp at, Callback done) override {
    net::run_on(
        parts_.workers, parts_.loop,
        [query = query_, &store = parts_.store, at] {
          const auto lock = store.lock_for_read();
          return query->evaluate(store, at);
        },
        std::move(done));
  }

 private:
  const std::shared_ptr<promql::Query> query_;  // Shared with the worker that evaluates it.
  const EvaluationParts parts_;
};

Result<void> outcome_of(const Result<promql::Answer>& answer) {
  return answer ? Result<void>() : fail(answer.error());
}

// Evaluated there as a whole.
class RemoteExpr : public PreparedExpr {
 public:
  RemoteExpr(const promql::Expr& expr, source::RemoteQuery& remote,
             RemoteEvaluator::Observer observe)
      : text_(promql::print(expr)), remote_(remote), observe_(std::move(observe)) {}

  void evaluate(Timestamp at, Callback done) override {
    remote_.instant(text_, at,
                    [observe = observe_, done = std::move(done)](Result<promql::Answer> answer) {
                      observe(outcome_of(answer));
                      done(std::move(answer));
                    });
  }

 private:
  const std::string text_;
  source::RemoteQuery& remote_;
  const RemoteEvaluator::Observer observe_;
};

// Its largest plain parts are evaluated there, the rest here.
class SplitExpr : public PreparedExpr {
 public:
  SplitExpr(promql::Split split, const EvaluationParts& parts, source::RemoteQuery& remote,
            RemoteEvaluator::Observer observe)
      : here_(std::make_shared<Here>(split.rest, parts)),
        split_(std::move(split)),
        remote_(remote),
        observe_(std::move(observe)) {}

  void evaluate(Timestamp at, Callback done) override {
    fetch_parts(remote_, split_, {at, at},
                [here = here_, observe = observe_, at,
                 done = std::move(done)](Result<FetchedParts> fetched) {
                  observe(fetched ? Result<void>() : fail(fetched.error()));
                  if (!fetched) return done(fail(fetched.error()));
                  here->start(std::move(*fetched), at, done);
                });
  }

 private:
  // Shared with the worker that evaluates it.
  struct Here : public std::enable_shared_from_this<Here> {
    Here(promql::ExprPtr rest, const EvaluationParts& of)
        : query(promql::Query::prepare(std::move(rest))), reader(of.store), parts(of) {}

    void start(FetchedParts fetched, Timestamp at, const Callback& done) {
      auto work = [self = shared_from_this(), fetched = std::move(fetched), at]() mutable {
        return answer_over(self->reader, std::move(fetched), [&] { return self->evaluate(at); });
      };
      net::run_on(parts.workers, parts.loop, std::move(work), done);
    }

    Result<promql::Answer> evaluate(Timestamp at) {
      const auto lock = parts.store.lock_for_read();
      return query.evaluate(reader, at);
    }

    promql::Query query;
    PartsReader reader;
    const EvaluationParts parts;
  };

  const std::shared_ptr<Here> here_;
  const promql::Split split_;
  source::RemoteQuery& remote_;
  const RemoteEvaluator::Observer observe_;
};

}  // namespace

std::unique_ptr<PreparedExpr> StoreEvaluator::prepare(promql::ExprPtr expr,
                                                      SharedValuesPtr shared) {
  return std::make_unique<StoreExpr>(std::move(expr), parts_, std::move(shared));
}

std::unique_ptr<PreparedExpr> RemoteEvaluator::prepare(promql::ExprPtr expr,
                                                       SharedValuesPtr shared) {
  promql::Split split =
      promql::split(expr, [this](std::string_view name) { return local_names_.contains(name); });
  if (split.parts.empty()) {
    return std::make_unique<StoreExpr>(std::move(expr), parts_, std::move(shared));
  }
  if (split.is_whole) return std::make_unique<RemoteExpr>(*expr, remote_, observe_);
  return std::make_unique<SplitExpr>(std::move(split), parts_, remote_, observe_);
}

}  // namespace tocsin::daemon
