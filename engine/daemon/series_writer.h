// SPDX-License-Identifier: Apache-2.0
//
// SeriesWriter puts what rules make (recordings, ALERTS) into the store, on a worker, in the order
// in which it is told. Series that a rule no longer makes get a stale marker, as in Prometheus.
//
// Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/executor.h"
#include "tocsin/promql.h"
#include "tocsin/store.h"

namespace tocsin::daemon {

class SeriesWriter {
 public:
  SeriesWriter(store::Store& store, net::Executor& workers, net::Executor& loop)
      : store_(std::make_shared<store::Store*>(&store)), workers_(workers), loop_(loop) {}

  // The place of one rule's series. When the last copy goes, they get stale markers and are
  // forgotten in time.
  class Place;
  using Handle = std::shared_ptr<Place>;
  Handle open(Duration history, store::Origin origin = store::Origin::Outside);

  // `done` is called when the values can be read.
  void write(const Handle& place, Timestamp at, promql::Vector values, std::function<void()> done);

  // At once, on the worker that calls it.
  static void write_now(const Handle& place, Timestamp at, const promql::Vector& values);

  struct Writing {
    Handle place;
    promql::Vector values;
  };
  // Writes all of them, when it is called: on a worker.
  static std::function<void()> work(std::vector<Writing> writings, Timestamp at);

 private:
  // Places may outlive the store, in tasks that nobody runs any more: they hold this weakly.
  const std::shared_ptr<store::Store*> store_;
  net::Executor& workers_;
  net::Executor& loop_;
};

class SeriesWriter::Place {
 public:
  Place(const std::shared_ptr<store::Store*>& store, const store::BlockOptions& options)
      : store_(store), options_(options) {}
  ~Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  friend class SeriesWriter;
  void write(Timestamp at, const promql::Vector& values);
  const std::vector<store::SeriesId>& ids_of(const promql::Vector& values, store::Store& store);
  bool are_known(const promql::Vector& values, const store::Store& store) const;

  const std::weak_ptr<store::Store*> store_;
  const store::BlockOptions options_;
  bool opened_ = false;
  store::BlockId block_ = 0;
  // Of the last values, which the next ones are mostly like: their labels and their series, which
  // hold as long as none of a metric with one of these names comes or goes.
  std::vector<Labels> labels_;
  std::vector<store::SeriesId> ids_;
  std::map<std::string, std::uint64_t, std::less<>> versions_;
};

}  // namespace tocsin::daemon
