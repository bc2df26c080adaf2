// SPDX-License-Identifier: Apache-2.0
#include "daemon/evaluator.h"

#include <mutex>

#include "daemon/parts_reader.h"
#include "daemon/remote_parts.h"

namespace tocsin::daemon {
namespace {

// Others wait for the worker meanwhile.
constexpr std::chrono::nanoseconds kQuick = std::chrono::milliseconds(5);

class StoreExpr : public PreparedExpr {
 public:
  StoreExpr(promql::ExprPtr expr, const EvaluationParts& parts, SharedValuesPtr shared)
      : shared_(std::make_shared<Shared>(
            promql::Query::prepare(std::move(expr), {.shared = std::move(shared)}))),
        parts_(parts) {}

  void evaluate(Timestamp at, Callback done) override {
    net::run_on(parts_.workers, parts_.loop, work(at), std::move(done));
  }

  std::function<Result<promql::Answer>()> work(Timestamp at) const override {
    return [shared = shared_, &store = parts_.store, at] {
      const std::lock_guard turn(shared->turn);
      const auto lock = store.lock_for_read();
      return shared->query.evaluate(store, at);
    };
  }

  std::function<void(Timestamp at)> foresight() const override {
    return [shared = shared_, &store = parts_.store](Timestamp at) {
      const std::unique_lock turn(shared->turn, std::try_to_lock);
      if (!turn) return;
      const auto lock = store.lock_for_read();
      shared->query.look_ahead(store, at);
    };
  }

 private:
  // With the workers that evaluate it or look ahead.
  struct Shared {
    explicit Shared(promql::Query of) : query(std::move(of)) {}
    promql::Query query;
    std::mutex turn;  // Held by whoever uses the query.
  };
  const std::shared_ptr<Shared> shared_;
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

Evaluator::Answers alone(Result<promql::Answer> answer) {
  Evaluator::Answers answers;
  answers.push_back({std::move(answer), 0});
  return answers;
}

// Some other place has to be asked, once `before` has been run.
void evaluate_alone(const EvaluationParts& parts, Evaluator::Step step, Timestamp at,
                    std::function<void()> before, std::function<void(Evaluator::Answers)> done) {
  const auto take = [parts, then = std::move(step.then),
                     done = std::move(done)](Result<promql::Answer> answer) {
    if (!then) return done(alone(std::move(answer)));
    auto work = [then, answer = std::move(answer)]() mutable {
      then(answer);
      return alone(std::move(answer));
    };
    net::run_on(parts.workers, parts.loop, std::move(work), done);
  };
  const auto ask = [expr = step.expr, at, take] { expr->evaluate(at, take); };
  if (!before) return ask();
  const auto run_before = [before = std::move(before)] {
    before();
    return true;
  };
  net::run_on(parts.workers, parts.loop, run_before, [ask](bool) { ask(); });
}

}  // namespace

void evaluate_together(const EvaluationParts& parts, Evaluator::Steps steps, Timestamp at,
                       std::function<void()> before, std::function<void(Evaluator::Answers)> done) {
  std::vector<std::function<Result<promql::Answer>()>> works;
  for (Evaluator::Step& step : steps) {
    if (!works.empty() && !parts.clock) break;
    auto evaluate = step.expr->work(at);
    if (!evaluate && works.empty()) {
      return evaluate_alone(parts, std::move(step), at, std::move(before), std::move(done));
    }
    if (!evaluate) break;
    works.push_back([evaluate = std::move(evaluate), then = std::move(step.then)] {
      auto answer = evaluate();
      if (then) then(answer);
      return answer;
    });
  }
  const auto run_while_quick = [before = std::move(before), works = std::move(works),
                                clock = parts.clock] {
    if (before) before();
    Evaluator::Answers answers;
    const auto ticks = [clock] { return clock ? clock->ticks() : std::chrono::nanoseconds(0); };
    const auto began = ticks();
    for (auto last = began; answers.size() < works.size() && last - began < kQuick;) {
      auto answer = works[answers.size()]();
      const auto now = ticks();
      answers.push_back({std::move(answer), std::chrono::duration<double>(now - last).count()});
      last = now;
    }
    return answers;
  };
  net::run_on(parts.workers, parts.loop, run_while_quick, std::move(done));
}

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
