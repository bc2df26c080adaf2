// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon.h"

#include <random>

#include "api/metrics.h"
#include "api/server.h"
#include "base/log.h"
#include "daemon/asked_series.h"
#include "daemon/certificate_series.h"
#include "daemon/contact.h"
#include "daemon/evaluator.h"
#include "daemon/file_watch.h"
#include "daemon/foresight.h"
#include "daemon/keeper.h"
#include "daemon/loadout.h"
#include "daemon/origins.h"
#include "daemon/outgoing.h"
#include "daemon/outlook.h"
#include "daemon/periodic.h"
#include "daemon/query_desk.h"
#include "daemon/recording.h"
#include "daemon/replica.h"
#include "daemon/rule_engine.h"
#include "daemon/rule_files.h"
#include "daemon/self_watch.h"
#include "daemon/series_writer.h"
#include "net/worker_pool.h"
#include "source/scraper.h"
#include "source/write_receiver.h"
#include "tocsin/duration.h"
#include "tocsin/version.h"

namespace tocsin::daemon {
namespace {

constexpr Duration kCollectGarbageEvery = std::chrono::minutes(1);
constexpr Duration kNoteJobsEvery = std::chrono::seconds(30);
constexpr Duration kPruneEvery = std::chrono::minutes(10);
constexpr Duration kReadCertificatesEvery = std::chrono::seconds(30);

}  // namespace

class Daemon::Impl : public api::Backend {
 public:
  Impl(const Clock& clock, net::Loop& loop, DaemonOptions options)
      : clock_(clock),
        loop_(loop),
        options_(std::move(options)),
        http_(loop),
        writer_(store_, rule_workers_, loop),
        receiver_(store_),
        keeper_(clock, loop),
        queries_({store_, query_workers_, loop}, clock, loop),
        api_(*this) {}

  ~Impl() override {
    engine_.reset();
    if (scraper_) scraper_->stop();
    for (net::WorkerPool* pool : {&query_workers_, &rule_workers_, &workers_}) pool->stop();
  }

  // ---- Starting and reloading.

  Result<void> start() {
    auto loadout = options_.loadout ? Result<Loadout>(*options_.loadout)
                                    : load(Strictness::LeaveBrokenRulesOut);
    if (!loadout) return fail(loadout.error());
    started_ = clock_.now();
    if (auto begun = recording_.begin(options_.record, started_, store_); !begun) return begun;
    if (auto opened = keeper_.open(loadout->config.storage_path); !opened) return opened;
    if (!options_.loadout) note_lost_files(*loadout, keeper_.rule_patterns());
    install(std::move(*loadout));
    files_.note_read(files_.fingerprint());
    if (auto listening = listen(); !listening) return listening;
    go_on();
    begin_work();
    if (options_.loadout) (void)reload();
    loop_.on_clock_step([this](Duration step) { note_clock_step(step); });
    return {};
  }

  Result<void> reload() {
    auto loadout = load(Strictness::RefuseBrokenRules);
    if (loadout) {
      install(std::move(*loadout));
      reload_ = {true, clock_.now(), {}, ""};
      log::info("configuration reloaded");
      say_what_runs(config_, rules_);
      return {};
    }
    reload_.successful = false;
    reload_.error = loadout.error().message;
    log::error("reload failed, the old configuration runs on", {{"error", reload_.error}});
    return fail(loadout.error());
  }

  Result<Loadout> load(Strictness strictness) {
    std::optional<Result<Loadout>> loadout;
    const bool kept_still = files_.read_still(
        [&] { loadout = load_all(options_.load_config, strictness, keeper_.rule_patterns()); });
    if (kept_still) return std::move(*loadout);
    return fail(ErrorCode::Unavailable, "the files change while they are read");
  }

  Loadout loadout() const { return {config_, rules_, rule_problems_}; }
  std::string address() const { return server_ ? server_->address() : ""; }

  // ---- api::Backend.

  Timestamp now() const override { return clock_.now(); }
  bool is_ready() const override { return evaluating_; }

  api::ServerStatus status() const override {
    api::ServerStatus status;
    status.external_url = external_url();
    status.external_labels = config_.external_labels;
    status.started = started_;
    status.reload = reload_;
    status.reload.revisions = origins_.revisions();
    status.rule_problems = rule_problems_.text();
    status.prometheus_url = config_.prometheus ? config_.prometheus->url : "";
    status.prometheus_error = contact_.error();
    status.state = keeper_.status();
    status.takes_silences = config_.takes_silences;
    if (server_) status.requests_refused = server_->refused();
    if (replica_) status.replica = replica_->status();
    return status;
  }

  std::vector<api::GroupStatus> groups() const override {
    auto groups = engine_->groups();
    origins_.add_to(groups);
    return groups;
  }
  std::vector<source::TargetStatus> targets() const override { return scraper_->targets(); }
  std::vector<source::DroppedTarget> dropped_targets() const override {
    return scraper_->dropped_targets();
  }
  source::ScrapeStats scrape_stats() const override {
    source::ScrapeStats stats = scraper_->stats();
    receiver_.add_to(stats);
    return stats;
  }
  std::vector<notify::Notifier::ReceiverStatus> receivers() const override {
    return notifier_->receivers();
  }
  notify::LatencyHistogram notification_latency() const override { return notifier_->latency(); }
  notify::MuteCounts notifications_muted() const override { return notifier_->muted(); }
  std::vector<notify::Silence> silences() const override { return notifier_->silences(); }
  void put_silence(notify::Silence silence, api::SilenceCallback done) override {
    notifier_->put_silence(std::move(silence), std::move(done));
  }
  void expire_silence(const std::string& id, api::SilenceCallback done) override {
    notifier_->expire_silence(id, std::move(done));
  }
  std::optional<notify::Mute> mute_of(const alert::Alert& alert) const override {
    if (alert.state != alert::State::Firing || !notifier_->mutes_anything()) return std::nullopt;
    const Labels labels = outgoing_labels(alert.labels, config_.external_labels);
    const auto sent = alert_relabeler_.apply(labels);
    return sent ? notifier_->mute_of(*sent) : std::nullopt;
  }
  std::map<std::string, std::string> links_of(const alert::Alert& alert) const override {
    const Labels labels = outgoing_labels(alert.labels, config_.external_labels);
    return daemon::links_of(alert, labels, context_of({}, {}));
  }
  std::optional<std::string> replica_report() const override {
    return replica_ ? std::optional(replica_->report()) : std::nullopt;
  }
  store::Stats store_stats() const override {
    const auto lock = store_.lock_for_read();
    return store_.stats();
  }
  std::vector<state::HistoryEntry> history() const override {
    return {keeper_.history().begin(), keeper_.history().end()};
  }
  std::vector<api::KeptMetric> kept() const override {
    const auto lock = store_.lock_for_read();
    return asked_.explain(store_.series_by_name());
  }

  void query(const api::QueryRequest& request, api::QueryCallback done) override {
    queries_.answer(request, std::move(done));
  }
  void series(const api::SeriesRequest& request, api::SeriesCallback done) override {
    queries_.find_series(request, std::move(done));
  }
  void label_names(const api::SeriesRequest& request, api::TextsCallback done) override {
    queries_.find_label_names(request, std::move(done));
  }
  void label_values(const std::string& label, const api::SeriesRequest& request,
                    api::TextsCallback done) override {
    queries_.find_label_values(label, request, std::move(done));
  }

  void write(std::string body, api::WriteCallback done) override {
    if (!config_.receives_writes) {
      return done(fail(ErrorCode::NotFound,
                       "remote write receiver needs to be enabled with "
                       "remote_write_receiver: {enabled: true}"));
    }
    net::run_on(
        workers_, loop_,
        [this, body = std::move(body), now = clock_.now()] { return receiver_.accept(body, now); },
        std::move(done));
  }

  void reload(std::function<void(Result<void>)> done) override { done(reload()); }

 private:
  // Swaps in what was loaded. Nothing here can fail.
  void install(Loadout loadout) {
    const bool other_prometheus = loadout.config.prometheus != config_.prometheus;
    // With a remote Prometheus, what is recorded here decides what is evaluated here.
    const bool moved = !engine_ || other_prometheus ||
                       (config_.prometheus && local_names(loadout.rules) != local_names(rules_));
    if (server_) say_what_waits(config_, loadout.config);
    config_ = loadout.config;
    use_web();
    rules_ = loadout.rules;
    rule_problems_ = loadout.rule_problems;
    keeper_.note_rule_patterns(patterns_with_files(config_.rule_files, keeper_.rule_patterns()));
    alert_relabeler_ = *source::Relabeler::compile(config_.alert_relabel_configs);
    install_notifier();
    asked_ = AskedSeries(rules_, config_);
    outlook_.use(config_, rules_);
    origins_ = Origins(rules_);
    install_self_watch();
    install_source(scraped_needs(rules_, config_));
    // The old one serves the old engine until that has gone.
    const std::unique_ptr<source::RemoteQuery> old =
        other_prometheus ? std::move(remote_) : nullptr;
    if (other_prometheus && config_.prometheus) {
      remote_ = std::make_unique<source::RemoteQuery>(http_, *config_.prometheus,
                                                      source::RemoteReaders{&workers_, &loop_});
    }
    queries_.share_with(remote_.get(), local_names(rules_));
    if (moved) install_evaluator();
    engine_->apply(rules_,
                   {config_.evaluation_interval, config_.rule_query_offset, config_.resend_delay});
  }

  void install_notifier() {
    notify::NotifyConfig config = config_.notify;
    config.external_url = external_url();
    if (notifier_) return notifier_->reconfigure(std::move(config));
    notifier_ = std::make_unique<notify::Notifier>(
        notify::DeliveryParts{
            http_,
            loop_,
            clock_,
            [this] { return std::uniform_real_distribution<double>(0, 1)(random_); },
            {},
            &keeper_},
        std::move(config));
  }

  void install_source(std::vector<promql::Need> needs) {
    recording_.add_needs(needs);
    if (!scraper_) {
      source::ScrapeParts parts{clock_, loop_, loop_, workers_, http_, store_};
      parts.after_page = [this](auto at, auto interval) { look_ahead(at, interval); };
      scraper_ = std::make_unique<source::Scraper>(parts, parse_target_groups);
      scraper_->remember(keeper_.scraped_jobs());
      outlook_.remember(keeper_.asked_jobs(), clock_.now());
    }
    receiver_.use(std::make_shared<const source::KeepFilter>(needs));
    const auto applied = scraper_->apply(config_.scrape_configs, std::move(needs));
    if (!applied) log::error("scrape_configs", {{"error", applied.error().message}});
  }

  // What was written before stays, unless a rule now looks further back.
  void install_self_watch() {
    const Duration before = self_watch_ ? self_watch_->history() : Duration(0);
    self_watch_.emplace(rule::required_needs(rules_));
    if (self_watch_->history() > before) self_series_ = writer_.open(self_watch_->history());
  }

  // Groups hold on to their evaluator, so a new place of the data is a new engine.
  void install_evaluator() {
    const EvaluationParts here{store_, rule_workers_, loop_, &clock_};
    std::unique_ptr<Evaluator> evaluator = std::make_unique<StoreEvaluator>(here);
    if (remote_) {
      evaluator = std::make_unique<RemoteEvaluator>(
          here, *remote_, local_names(rules_),
          [this, url = config_.prometheus->url](const Result<void>& answered) {
            contact_.note(answered, url);
          });
    }
    GroupParts parts{clock_, loop_, *evaluator, writer_, {}, {}, {}, {}, {}, {}, &foresight_};
    parts.surroundings = [this](const auto& rule, Timestamp at) {
      return outlook_.surroundings(rule, at, external_url());
    };
    parts.look_around = [this](const auto& rules, Timestamp at, auto then) {
      outlook_.look_around(rules, at, std::move(then));
    };
    parts.on_transitions = [this](const auto& rule, const auto& changes) {
      note_transitions(rule, changes);
    };
    parts.on_due = [this](const auto& rule, Timestamp at, Duration interval, const auto& due) {
      send(rule, at, interval, due);
    };
    parts.on_unsaved = [this](const auto& rule, const auto& unsaved) {
      keeper_.save(rule, unsaved);
    };
    parts.on_recorded = [this](Timestamp at, const auto& series) { keeper_.record(at, series); };
    auto engine = std::make_unique<RuleEngine>(std::move(parts));
    if (engine_) engine->take_over(*engine_);
    engine_ = std::move(engine);
    evaluator_ = std::move(evaluator);
    if (evaluating_) engine_->start();
  }

  // Called by a worker that wrote a page.
  void look_ahead(Timestamp page, Duration interval) {
    if (!foresight_.is_due(page)) return;
    workers_.post([this, until = page + interval] { foresight_.look(until); });
  }

  void use_web() {
    if (!server_) return;
    if (const auto used = server_->use(config_.web); !used) {
      log::warn("of web, what cannot be read stays as it was", {{"error", used.error().message}});
    }
  }

  Result<void> listen() {
    auto server = net::HttpServer::listen(loop_, config_.web, api_.handler());
    if (!server) return fail(server.error());
    server_ = std::move(*server);
    log::info("listening", {{"address", server_->address()}, {"version", std::string(version())}});
    return {};
  }

  // Takes up what the process before left.
  void go_on() {
    notifier_->set_silent(config_.standby && config_.standby->is_first);
    notifier_->restore(keeper_.take_messages());
    engine_->restore(keeper_.take_samples());
    engine_->restore(keeper_.take_alerts(), rule_problems_);
    if (!config_.standby) return;
    const auto evaluates = [this] { return evaluating_ && engine_->is_evaluating(clock_.now()); };
    const auto note = [this](auto at) { keeper_.note_takeover(at); };
    replica_.emplace(Replica::Parts{http_, loop_, clock_, *notifier_, evaluates, note},
                     *config_.standby);
    replica_->start(keeper_.took_over());
  }

  // Rules wait for the first look at every target; a target that does not answer holds them up for
  // two intervals at most.
  void begin_work() {
    reload_ = {true, clock_.now(), {}, ""};
    say_what_runs(config_, rules_);
    if (config_.prometheus || config_.scrape_configs.empty()) {
      begin_evaluating();
    } else {
      scraper_->on_first_pass([this] { begin_evaluating(); });
      loop_.after(2 * config_.scrape_interval, [this] { begin_evaluating(); });
    }
    if (!keeper_.is_open()) log::info("alert state lives in memory: it does not survive a restart");
    periodic_.every("certificates", kReadCertificatesEvery,
                    [this] { certificates_.look(config_.certificates, clock_.now()); });
    periodic_.every("self", config_.evaluation_interval, [this] { watch_self(); });
    periodic_.every("jobs", kNoteJobsEvery, [this] { note_jobs(); });
    periodic_.every("garbage", kCollectGarbageEvery, [this] { collect_garbage(); });
    periodic_.every("prune", kPruneEvery, [this] {
      keeper_.prune();
      notifier_->prune_silences();
    });
    certificates_.look(config_.certificates, clock_.now());
  }

  // Samples in memory are stamped by the clock as it was; what is on disk goes on under the new.
  void note_clock_step(Duration step) {
    engine_->note_clock_step(step);
    scraper_->note_clock_step(step);
    outlook_.note_clock_step(step);
    note_jobs();
    const bool starts_anew = options_.restart && (keeper_.is_open() || step.count() < 0);
    log::warn("the clock was set, or the machine has slept",
              {{"by", std::to_string(step.count() / 1000) + "s"},
               {"then", starts_anew ? "starting anew" : "going on"}});
    if (starts_anew) options_.restart();
  }

  void begin_evaluating() {
    if (evaluating_) return;
    evaluating_ = true;
    engine_->start();
  }

  // ---- Rules and what comes of them.

  std::string external_url() const {
    return config_.external_url.empty() && server_ ? "http://" + server_->address()
                                                   : config_.external_url;
  }

  void note_transitions(const rule::Rule& rule, const std::vector<alert::Transition>& changes) {
    keeper_.note(rule, clock_.now(), changes);
    if (!options_.on_transition) return;
    for (const alert::Transition& change : changes) options_.on_transition(rule, change);
  }

  void send(const rule::Rule& rule, Timestamp at, Duration interval,
            const std::vector<alert::Alert>& due) {
    const Timestamp valid_until = alert::valid_until(at, interval, config_.resend_delay);
    const OutgoingContext context = context_of(origins_.of(rule), valid_until);
    notifier_->send(make_outgoing(rule, due, context, alert_relabeler_));
  }

  OutgoingContext context_of(const api::RuleOrigin& origin, Timestamp valid_until) const {
    const Config& c = config_;
    return {c.external_labels, external_url(), origin, clock_.now(), valid_until, c.links};
  }

  // ---- Now and then.

  std::vector<std::string> watched_files() const {
    std::vector<std::string> files = find_rule_files(config_.rule_files);
    files.insert(files.end(), options_.watched_files.begin(), options_.watched_files.end());
    return files;
  }

  void files_changed() {
    log::info("files have changed, reloading");
    (void)reload();
  }

  void note_jobs() { keeper_.note_jobs(scraper_->jobs_seen(), outlook_.jobs_seen(clock_.now())); }

  void watch_self() {
    if (!self_watch_->is_asked()) return;
    const std::string page = api::metrics_text(api::take_snapshot(*this), {});
    const Timestamp now = clock_.now();
    writer_.write(self_series_, now, self_watch_->series(page, now, address()), [] {});
  }

  void collect_garbage() {
    workers_.post([this, now = clock_.now()] {
      const auto lock = store_.lock_for_write();
      store_.collect_garbage(now);
    });
  }

  // In the order in which they are made; destroyed in reverse.
  const Clock& clock_;
  net::Loop& loop_;
  const DaemonOptions options_;
  store::Store store_;
  Foresight foresight_;  // Outlives the workers.
  // Rules wait neither for a page that takes long, nor for what people ask.
  net::WorkerPool workers_{net::WorkerPool::default_size()};
  net::WorkerPool rule_workers_{net::WorkerPool::default_size()};
  net::WorkerPool query_workers_{net::WorkerPool::default_size()};
  Recording recording_{query_workers_, loop_, loop_};
  net::HttpClient http_;
  SeriesWriter writer_;
  source::WriteReceiver receiver_;
  Keeper keeper_;
  QueryDesk queries_;
  Config config_;
  rule::RuleSet rules_;
  AskedSeries asked_;  // By rules_ and config_.
  Outlook outlook_{queries_, [this] { return scraper_->targets_to_see(); }};
  Origins origins_;            // By rules_.
  Diagnostics rule_problems_;  // Of rules that were left out.
  source::Relabeler alert_relabeler_;
  std::unique_ptr<source::Scraper> scraper_;
  std::unique_ptr<source::RemoteQuery> remote_;  // Null: everything is evaluated here.
  std::unique_ptr<notify::Notifier> notifier_;
  std::optional<Replica> replica_;  // Of two.
  std::unique_ptr<Evaluator> evaluator_;
  std::unique_ptr<RuleEngine> engine_;
  CertificateSeries certificates_{writer_};
  std::optional<SelfWatch> self_watch_;  // By rules_.
  SeriesWriter::Handle self_series_;
  api::Api api_;
  std::unique_ptr<net::HttpServer> server_;
  Periodic periodic_{loop_};
  FileWatch files_{
      {clock_, loop_, [this] { return watched_files(); }, [this] { files_changed(); }}};
  std::minstd_rand random_{static_cast<std::uint32_t>(clock_.ticks().count())};
  Timestamp started_{};
  bool evaluating_ = false;
  api::ReloadStatus reload_;
  Contact contact_;  // With that Prometheus.
};

Daemon::Daemon(const Clock& clock, net::Loop& loop, DaemonOptions options)
    : impl_(std::make_unique<Impl>(clock, loop, std::move(options))) {}
Daemon::~Daemon() = default;

Result<void> Daemon::start() { return impl_->start(); }
Result<void> Daemon::reload() { return impl_->reload(); }
Loadout Daemon::loadout() const { return impl_->loadout(); }
std::string Daemon::address() const { return impl_->address(); }

}  // namespace tocsin::daemon
