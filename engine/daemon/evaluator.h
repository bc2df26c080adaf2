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
};

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  virtual std::unique_ptr<PreparedExpr> prepare(promql::ExprPtr expr) = 0;
};

// Over the store.
class StoreEvaluator : public Evaluator {
 public:
  StoreEvaluator(const store::Store& store, net::Executor& workers, net::Executor& loop)
      : store_(store), workers_(workers), loop_(loop) {}
  std::unique_ptr<PreparedExpr> prepare(promql::ExprPtr expr) override;

 private:
  const store::Store& store_;
  net::Executor& workers_;
  net::Executor& loop_;
};

// At a Prometheus; expressions over nothing but `local_names` (what Tocsin records itself) over the
// store.
class RemoteEvaluator : public Evaluator {
 public:
  // Told of every answer of the Prometheus before whoever asked.
  using Observer = std::function<void(const Result<promql::Answer>&)>;

  RemoteEvaluator(source::RemoteQuery& remote, StoreEvaluator& local,
                  std::set<std::string> local_names, Observer observe)
      : remote_(remote),
        local_(local),
        local_names_(std::move(local_names)),
        observe_(std::move(observe)) {}
  std::unique_ptr<PreparedExpr> prepare(promql::ExprPtr expr) override;

 private:
  source::RemoteQuery& remote_;
  StoreEvaluator& local_;
  const std::set<std::string> local_names_;
  const Observer observe_;
};

}  // namespace tocsin::daemon
