// SPDX-License-Identifier: Apache-2.0
//
// Outbox is where messages are written before they are sent, and what a group's receiver has been
// told: so that the end of the process, at any moment, neither loses a message nor repeats one. Who
// implements it decides where that is; without one, everything lives in memory.
//
// What is put and removed between two turns of the loop becomes durable together or not at all.
//
// Loop thread only.
#pragma once

#include <functional>
#include <string>

#include "tocsin/clock.h"

namespace tocsin::notify {

// A message as it is written: `content` is what encode() made of it.
struct WrittenMessage {
  std::string receiver;  // The queue's id.
  std::string key;
  std::string content;
  Timestamp decided_at{};
};

class Outbox {
 public:
  virtual ~Outbox() = default;

  // Replaces an older message of the same receiver and key. `written` is called later, once the
  // message is durable or it is certain that it will not be for now: a page is worth more than its
  // record.
  virtual void put(WrittenMessage message, std::function<void()> written) = 0;
  virtual void remove(const std::string& receiver, const std::string& key) = 0;

  // What the grouper remembers of one group.
  virtual void put_group(const std::string& key, std::string content) = 0;
  virtual void remove_group(const std::string& key) = 0;

  // `written` is called as put() calls it.
  virtual void put_silence(const std::string& id, std::string content,
                           std::function<void()> written) = 0;
  virtual void remove_silence(const std::string& id) = 0;
};

}  // namespace tocsin::notify
