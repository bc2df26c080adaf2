// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "api/stat.h"
#include "promql/ast.h"
#include "promql/functions.h"
#include "rule/compile.h"
#include "rule/series_family.h"
#include "tocsin/rule_set.h"

namespace tocsin::api {
namespace {

using promql::Expr;
using promql::ExprPtr;

// What conditions are asked for where the window is "since the start"; rewritten afterwards.
constexpr Duration kAnyWindow = std::chrono::minutes(1);

bool is_own_view(StatResource resource) {
  return resource == StatResource::Workload || resource == StatResource::Pod;
}

rule::Condition condition_of(const StatOptions& options, rule::ConditionKind kind) {
  rule::Condition out;
  out.kind = kind;
  out.by = is_own_view(options.resource)             ? rule::By::Workload
           : options.resource == StatResource::Route ? rule::By::Route
                                                     : rule::By::Service;
  out.side = is_own_view(options.resource) ? rule::Side::Server : rule::Side::Client;
  out.over = options.window.count() > 0 ? options.window : kAnyWindow;
  out.where = options.where;
  return out;
}

std::string latency_expr(const StatOptions& options, double quantile) {
  rule::Condition condition = condition_of(options, rule::ConditionKind::Latency);
  condition.quantile = quantile;
  return rule::compile_latency(condition).value;
}

// Connections are gauges that every proxy counts on both of its sides: the peer's is the one that
// comes from the network. Routes have none.
std::string connections_expr(const StatOptions& options) {
  const bool own = is_own_view(options.resource);
  const rule::Family& family =
      rule::family(own ? rule::FamilyId::Inbound : rule::FamilyId::Outbound);
  const auto where = rule::where_matchers(family, options.where);
  if (!where || options.resource == StatResource::Route) return {};
  const std::string side = own ? R"(direction="inbound",peer="src",)"
                               : R"(direction="outbound",peer="dst",dst_service!="",)";
  const std::string selector =
      "tcp_open_connections{" + side + R"(target_port!="4191",)" + *where + "}";
  const rule::View view = rule::view_of(rule::By::Workload, rule::Side::Server);
  if (own) return rule::sum_by(view.labels, selector);
  const std::string sums = rule::sum_by({"dst_namespace", "dst_service"}, selector);
  const std::string renamed =
      "label_join(label_join(" + sums +
      R"(, "namespace", "", "dst_namespace"), "service", "", "dst_service"))";
  return rule::sum_by({"namespace", "service"}, renamed);
}

// Changes a condition's tree into what `stat` asks beyond it: values by pod, and counters as they
// stand in place of what they grew by.
class Rewriter {
 public:
  explicit Rewriter(const StatOptions& options)
      : by_pod_(options.resource == StatResource::Pod), since_start_(options.window.count() == 0) {}

  std::string rewrite(const std::string& text) const {
    const auto expr = promql::parse(text);
    return expr ? promql::print(*changed(*expr)) : text;
  }

 private:
  ExprPtr changed(const ExprPtr& expr) const {
    if (since_start_) {
      if (ExprPtr counter = counter_of(*expr)) return counter;
    }
    Expr copy = *expr;
    std::visit([this](auto& node) { change(node); }, copy.node);
    return std::make_shared<const Expr>(std::move(copy));
  }

  // x of rate(x[1m]) and increase(x[1m]); null for anything else.
  static ExprPtr counter_of(const Expr& expr) {
    const auto* call = promql::as<promql::Call>(expr);
    if (call == nullptr || call->args.size() != 1) return nullptr;
    if (call->function->name != "rate" && call->function->name != "increase") return nullptr;
    const auto* range = promql::as<promql::MatrixSelector>(*call->args.front());
    if (range == nullptr) return nullptr;
    Expr out;
    out.node = range->vector;
    out.type = promql::ValueType::Vector;
    return std::make_shared<const Expr>(std::move(out));
  }

  template <class Leaf>
  void change(Leaf&) const {}
  void change(promql::Paren& node) const { node.expr = changed(node.expr); }
  void change(promql::Unary& node) const { node.expr = changed(node.expr); }
  void change(promql::Binary& node) const {
    node.left = changed(node.left);
    node.right = changed(node.right);
  }
  void change(promql::Call& node) const {
    for (ExprPtr& argument : node.args) argument = changed(argument);
  }
  void change(promql::Aggregate& node) const {
    node.expr = changed(node.expr);
    if (by_pod_ && !node.without) node.grouping.emplace_back("pod");
  }

  bool by_pod_;
  bool since_start_;
};

}  // namespace

std::vector<StatQuery> stat_queries(const StatOptions& options) {
  const rule::Compiled rates =
      rule::compile_success_rate(condition_of(options, rule::ConditionKind::SuccessRate));
  std::vector<StatQuery> out = {{StatColumn::SuccessRate, rates.value},
                                {StatColumn::Requests, rates.requests},
                                {StatColumn::P50, latency_expr(options, 0.5)},
                                {StatColumn::P95, latency_expr(options, 0.95)},
                                {StatColumn::P99, latency_expr(options, 0.99)}};
  const std::string connections = connections_expr(options);
  if (!connections.empty()) out.push_back({StatColumn::Connections, connections});
  const Rewriter rewriter(options);
  for (StatQuery& query : out) query.expr = rewriter.rewrite(query.expr);
  return out;
}

}  // namespace tocsin::api
