// SPDX-License-Identifier: Apache-2.0
//
// /federate: the newest sample of every series that a `match[]` selects, with its own timestamp,
// for another Prometheus. Two questions per selector: an instant query says which series are alive,
// a range of the lookback says when each was sampled.
#include <map>
#include <memory>

#include "api/handlers.h"
#include "api/params.h"
#include "api/text_format.h"

namespace tocsin::api {
namespace {

constexpr std::string_view kLookback = "[5m]";
constexpr std::string_view kInstance = "instance";

class Federation : public std::enable_shared_from_this<Federation> {
 public:
  explicit Federation(Call call) : call_(std::move(call)) {}

  void start(const std::vector<std::string>& selectors) {
    open_ = 2 * selectors.size() + 1;  // One for this function.
    for (const std::string& selector : selectors) {
      ask(selector, [](Federation& self, const promql::Value& value) { self.note_alive(value); });
      ask(selector + std::string(kLookback),
          [](Federation& self, const promql::Value& value) { self.note_times(value); });
    }
    finish_one();
  }

 private:
  using Note = void (*)(Federation& self, const promql::Value& value);

  void ask(std::string expr, Note note) {
    QueryRequest request{.expr = std::move(expr), .start = now_, .end = now_};
    request.gone = call_.request.gone;
    call_.backend.query(request,
                        [self = shared_from_this(), note](const Result<promql::Answer>& answer) {
                          if (answer) {
                            note(*self, answer->value);
                          } else if (!self->error_) {
                            self->error_ = answer.error();
                          }
                          self->finish_one();
                        });
  }

  void note_alive(const promql::Value& value) {
    const auto* vector = std::get_if<promql::Vector>(&value);
    if (vector == nullptr) return;
    for (const promql::Element& element : *vector) {
      // The text format has no native histograms.
      if (element.histogram) continue;
      const std::string_view name = element.labels.metric_name();
      if (!name.empty()) alive_[std::string(name)].try_emplace(element.labels, element.sample);
    }
  }

  void note_times(const promql::Value& value) {
    const auto* matrix = std::get_if<promql::Matrix>(&value);
    if (matrix == nullptr) return;
    for (const promql::Series& series : *matrix) {
      if (!series.samples.empty()) newest_[series.labels] = series.samples.back();
    }
  }

  void finish_one() {
    if (--open_ > 0) return;
    if (error_) return reply_text(call_, kind_of(error_->code).status, error_->message + "\n");
    call_.respond(
        {.status = 200, .content_type = std::string(kTextFormat), .body = page(), .headers = {}});
  }

  std::string page() const {
    const std::map<std::string, std::string> external = call_.backend.status().external_labels;
    std::string out;
    for (const auto& [name, series] : alive_) {
      out += "# TYPE " + name + " untyped\n";
      for (const auto& [labels, seen] : series) {
        const auto newest = newest_.find(labels);
        const Sample sample = newest == newest_.end() ? seen : newest->second;
        out += name + "{" + label_pairs(labels, external) + "} " + format_number(sample.value) +
               " " + std::to_string(to_millis(sample.at)) + "\n";
      }
    }
    return out;
  }

  // `instance` is there even where it is empty, so that whoever scrapes this does not put its own
  // target's in.
  static std::string label_pairs(const Labels& labels,
                                 const std::map<std::string, std::string>& external) {
    std::string out;
    for (const LabelView& label : labels.without(kMetricName)) {
      add_pair(out, label_pair(label.name, label.value));
    }
    for (const auto& [name, value] : external) {
      if (!labels.has(name)) add_pair(out, label_pair(name, value));
    }
    if (!labels.has(kInstance) && !external.contains(std::string(kInstance))) {
      add_pair(out, label_pair(kInstance, ""));
    }
    return out;
  }

  const Call call_;
  const Timestamp now_ = call_.backend.now();
  std::size_t open_ = 0;
  std::optional<Error> error_;
  std::map<std::string, std::map<Labels, Sample>> alive_;  // By metric name.
  std::map<Labels, Sample> newest_;
};

}  // namespace

void federate(const Call& call) {
  std::vector<std::string> selectors = call.request.all_params("match[]");
  for (std::string& selector : selectors) {
    if (const auto matchers = parse_selector(selector); !matchers) {
      return reply_text(call, 400, matchers.error().message + "\n");
    }
    selector = promql::print(**promql::parse(selector));  // A range follows: no comment may end it.
  }
  std::make_shared<Federation>(call)->start(selectors);
}

}  // namespace tocsin::api
