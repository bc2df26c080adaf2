// SPDX-License-Identifier: Apache-2.0
#include "notify/channel_kinds.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

namespace tocsin::notify {
namespace json = boost::json;
namespace {

using Texts = std::span<const std::string_view>;

constexpr std::string_view kWebhookOptions[] = {"body"};
constexpr std::string_view kSlackOptions[] = {"channel", "username", "icon_emoji", "icon_url"};
constexpr std::string_view kPagerDutyOptions[] = {"client",    "client_url", "severity",
                                                  "component", "group",      "class"};
constexpr std::string_view kDiscordOptions[] = {"username", "avatar_url"};
constexpr std::string_view kOpsgenieOptions[] = {"priority", "tags", "entity", "source"};
constexpr std::string_view kTelegramOptions[] = {"chat_id", "message_thread_id"};
constexpr std::string_view kTelegramRequired[] = {"chat_id"};
constexpr std::string_view kEmailOptions[] = {"to", "from", "hello", "auth_username"};
constexpr std::string_view kEmailRequired[] = {"to", "from"};

constexpr std::size_t kMostHintBytes = 4096;
constexpr Duration kLongestPause = std::chrono::hours(1);

Verdict by_status(const net::HttpResponse& response) { return judge_status(response.status); }

// Slack says 200 and an error in the body when a proxy before it does not know better.
Verdict judge_slack(const net::HttpResponse& response) {
  const Verdict verdict = judge_status(response.status);
  if (verdict != Verdict::Delivered) return verdict;
  return response.body == "ok" || response.body.empty() ? Verdict::Delivered : Verdict::GiveUp;
}

// 550 to 556 are about this mail: the address, its size, its content. Every other refusal, a login
// that fails among them, is about the session, and the next one may be better.
Verdict judge_mail(const net::HttpResponse& response) {
  if (response.status >= 200 && response.status < 300) return Verdict::Delivered;
  return response.status >= 550 && response.status <= 556 ? Verdict::GiveUp : Verdict::Retry;
}

// A webhook's is to spare whoever wrote it, should ten thousand things go wrong at once.
constexpr TokenBucket::Rate kHundredASecond{200, 100};
// PagerDuty counts 120 events a minute for each integration key; Opsgenie's depends on the plan.
constexpr TokenBucket::Rate kNearlyTwoASecond{20, 100.0 / 60};
constexpr TokenBucket::Rate kOneASecond{3, 1};
constexpr TokenBucket::Rate kTwentyAMinute{5, 20.0 / 60};  // Telegram's, for a group.
constexpr TokenBucket::Rate kThirtyAMinute{5, 0.5};        // Discord's, for a webhook.

constexpr ChannelKindInfo kKinds[] = {
    {ChannelKind::Webhook,
     "webhook",
     "webhook_configs",
     "url",
     "",
     false,
     "",
     true,
     false,
     kWebhookOptions,
     {},
     webhook_request,
     by_status,
     kHundredASecond},
    {ChannelKind::Slack,
     "slack",
     "slack_configs",
     "api_url",
     "",
     false,
     "",
     false,
     false,
     kSlackOptions,
     {},
     slack_request,
     judge_slack,
     kOneASecond},
    {ChannelKind::PagerDuty,
     "pagerduty",
     "pagerduty_configs",
     "url",
     "routing_key",
     true,
     "https://events.pagerduty.com/v2/enqueue",
     true,
     true,
     kPagerDutyOptions,
     {},
     pagerduty_request,
     by_status,
     kNearlyTwoASecond},
    {ChannelKind::MsTeams,
     "msteams",
     "msteamsv2_configs",
     "webhook_url",
     "",
     false,
     "",
     true,
     false,
     {},
     {},
     msteams_request,
     by_status,
     kOneASecond},
    {ChannelKind::Discord,
     "discord",
     "discord_configs",
     "webhook_url",
     "",
     false,
     "",
     true,
     false,
     kDiscordOptions,
     {},
     discord_request,
     by_status,
     kThirtyAMinute},
    {ChannelKind::Opsgenie,
     "opsgenie",
     "opsgenie_configs",
     "api_url",
     "api_key",
     true,
     "https://api.opsgenie.com/",
     true,
     true,
     kOpsgenieOptions,
     {},
     opsgenie_request,
     by_status,
     kNearlyTwoASecond},
    {ChannelKind::Telegram, "telegram", "telegram_configs", "api_url", "bot_token", true,
     "https://api.telegram.org", true, false, kTelegramOptions, kTelegramRequired, telegram_request,
     by_status, kTwentyAMinute},
    {ChannelKind::Email, "email", "email_configs", "smarthost", "auth_password", false, "", false,
     false, kEmailOptions, kEmailRequired, email_request, judge_mail, kOneASecond},
};

std::optional<double> number_at(const json::value& value, json::string_view name) {
  const json::object* object = value.if_object();
  const json::value* found = object ? object->if_contains(name) : nullptr;
  if (!found || !found->is_number()) return std::nullopt;
  return found->to_number<double>();
}

// In seconds, as chats say it.
std::optional<double> pause_in_body(const std::string& body) {
  if (body.empty() || body.size() > kMostHintBytes) return std::nullopt;
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  if (error) return std::nullopt;
  if (const auto seconds = number_at(value, "retry_after")) return seconds;
  const json::object* object = value.if_object();
  const json::value* parameters = object ? object->if_contains("parameters") : nullptr;
  return parameters ? number_at(*parameters, "retry_after") : std::nullopt;
}

}  // namespace

std::span<const ChannelKindInfo> channel_kinds() { return kKinds; }

const ChannelKindInfo& info_of(ChannelKind kind) {
  return *std::find_if(std::begin(kKinds), std::end(kKinds),
                       [&](const ChannelKindInfo& info) { return info.kind == kind; });
}

TokenBucket::Rate rate_of(const ChannelConfig& config) {
  if (config.max_per_minute == 0) return info_of(config.kind).rate;
  const auto per_minute = static_cast<double>(config.max_per_minute);
  const double burst = std::max(1.0, per_minute / 12);
  return {burst, std::max(per_minute - burst, 1.0) / 60};  // In any minute no more.
}

std::optional<Duration> asked_pause(const net::HttpResponse& response, Timestamp now) {
  const auto pause = retry_after(response.header("Retry-After"), now);
  if (pause && pause->count() > 0) return pause;
  const auto seconds = pause_in_body(response.body);
  if (!seconds || !(*seconds > 0)) return std::nullopt;
  const double most = to_seconds(kLongestPause);
  return Duration(static_cast<std::int64_t>(std::min(*seconds, most) * 1000));
}

Result<std::string> Secret::read() const {
  return file.empty() ? Result<std::string>(text) : net::read_secret(file);
}

const std::string& ChannelConfig::option(const std::string& name) const {
  static const std::string kNone;
  const auto it = options.find(name);
  return it == options.end() ? kNone : it->second;
}

}  // namespace tocsin::notify
