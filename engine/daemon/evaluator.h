// SPDX-License-Identifier: Apache-2.0
//
// Evaluator is where expressions get their values: from the store, on a worker, or from a
// Prometheus that is asked over HTTP. Rules do not know which.
//
// Loop thread only; answers come back on it.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "net/executor.h"
#include "source/remote_query.h"
#include "tocsin/promql.h"
#include "tocsin/store.h"

namespace tocsin::daemon {

// An expression made ready to be evaluated over and over, one evaluation at a time.
class PreparedExpr {
 public:
  using Callback = std::function<void(Result<promql::Answer>)>;
  virtual ~PreparedExpr() = default;
  // `done` is called once, later. The object must live until then.
  virtual void evaluate(Timestamp at, Callback done) = 0;

  // The same as work that any one thread may do, where all that it takes is the store. Null:
  // somebody else has to be asked.
  virtual std::function<Result<promql::Answer>()> work(Timestamp /*at*/) const { return nullptr; }

  // What can be done of an evaluation before its time (promql::Query::look_ahead), on any thread,
  // beside evaluations. Null: nothing.
  virtual std::function<void(Timestamp at)> foresight() const { return nullptr; }
};

using SharedValuesPtr = std::shared_ptr<promql::SharedValues>;

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  // Expressions with the same `shared`, which may be null, are evaluated one at a time.
  virtual std::unique_ptr<PreparedExpr> prepare(promql::ExprPtr expr, SharedValuesPtr shared) = 0;

  // An expression, and what is done with its answer, on a worker, before the next one is evaluated;
  // null: nothing.
  struct Step {
    PreparedExpr* expr = nullptr;
    std::function<void(const Result<promql::Answer>&)> then;
  };
  using Steps = std::vector<Step>;
  struct Timed {
    Result<promql::Answer> answer;
    double seconds = 0;
  };
  using Answers = std::vector<Timed>;
  // Takes the first of `steps`, and those after it as long as they are quick: a wake-up of a
  // worker costs more than most rules. `before` is run on the worker first. `done` is called once,
  // later, with an answer for each that was evaluated, in their order; none of none.
  virtual void evaluate(Steps steps, Timestamp at, std::function<void()> before,
                        std::function<void(Answers)> done) = 0;
};

// What expressions over the store are evaluated with.
struct EvaluationParts {
  const store::Store& store;
  net::Executor& workers;
  net::Executor& loop;
  const Clock* clock = nullptr;  // Says what is quick; null: one at a time.
};

// As Evaluator::evaluate(): what is work in one go on a worker, anything else alone.
void evaluate_together(const EvaluationParts& parts, Evaluator::Steps steps, Timestamp at,
                       std::function<void()> before, std::function<void(Evaluator::Answers)> done);

// The names of series that are here and not at a Prometheus.
using LocalNames = std::set<std::string, std::less<>>;

// Over the store.
class StoreEvaluator : public Evaluator {
 public:
  explicit StoreEvaluator(const EvaluationParts& parts) : parts_(parts) {}
  std::unique_ptr<PreparedExpr> prepare(promql::ExprPtr expr, SharedValuesPtr shared) override;
  void evaluate(Steps steps, Timestamp at, std::function<void()> before,
                std::function<void(Answers)> done) override {
    evaluate_together(parts_, std::move(steps), at, std::move(before), std::move(done));
  }

 private:
  const EvaluationParts parts_;
};

// At a Prometheus, as far as it can evaluate them and has the series (promql/split.h); what reads
// `local_names` (what Tocsin records itself) over the store.
class RemoteEvaluator : public Evaluator {
 public:
  // Told how every question to the Prometheus went, before whoever asked.
  using Observer = std::function<void(const Result<void>&)>;

  RemoteEvaluator(const EvaluationParts& parts, source::RemoteQuery& remote, LocalNames local_names,
                  Observer observe)
      : parts_(parts),
        remote_(remote),
        local_names_(std::move(local_names)),
        observe_(std::move(observe)) {}
  std::unique_ptr<PreparedExpr> prepare(promql::ExprPtr expr, SharedValuesPtr shared) override;
  void evaluate(Steps steps, Timestamp at, std::function<void()> before,
                std::function<void(Answers)> done) override {
    evaluate_together(parts_, std::move(steps), at, std::move(before), std::move(done));
  }

 private:
  const EvaluationParts parts_;
  source::RemoteQuery& remote_;
  const LocalNames local_names_;
  const Observer observe_;
};

}  // namespace tocsin::daemon
