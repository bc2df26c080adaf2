// SPDX-License-Identifier: Apache-2.0
//
// MeshServer puts a mesh on the network: one HTTP server with the page of every proxy, of every
// control plane component and of kube-state-metrics, each under a path of its own.
//
//   /pods/<namespace>/<pod>/metrics  /components/<component>-<n>/metrics
//   /kube-state-metrics/metrics /sd      the targets, as http_sd_configs reads them /faults  what
//   goes wrong at the moment
//
// The same targets are written to a file for file_sd_configs, anew whenever a pod comes or goes.
// The mesh lives by `clock`. Loop thread, or before the loop runs.
#pragma once

#include <memory>
#include <string>

#include "net/http_server.h"
#include "net/loop.h"
#include "simulate/mesh.h"
#include "tocsin/result.h"

namespace tocsin::simulate {

struct MeshServerOptions {
  std::string listen = "127.0.0.1:0";
  std::string sd_file;  // Empty: none is written.
};

class MeshServer {
 public:
  // `loop` and `clock` must outlive the server. Fails when the address is taken or the file cannot
  // be written.
  static Result<std::unique_ptr<MeshServer>> open(net::Loop& loop, const Clock& clock,
                                                  MeshConfig config, MeshServerOptions options);
  ~MeshServer();
  MeshServer(const MeshServer&) = delete;
  MeshServer& operator=(const MeshServer&) = delete;

  // "127.0.0.1:9999"
  std::string address() const { return http_->address(); }
  const Mesh& mesh() const { return mesh_; }
  // The targets as JSON, in the form of file_sd_configs and http_sd_configs.
  std::string targets() const;

 private:
  MeshServer(net::Loop& loop, const Clock& clock, MeshConfig config, std::string sd_file);
  net::HttpServerResponse answer(const net::HttpServerRequest& request);
  net::HttpServerResponse page(const std::string& path);
  void keep_sd_file();
  Result<void> write_sd_file();

  net::Loop& loop_;
  const Clock& clock_;
  std::string sd_file_;
  Mesh mesh_;
  std::unique_ptr<net::HttpServer> http_;
  std::uint64_t written_generation_ = 0;
  bool sd_file_fails_ = false;
  Scheduler::TaskId timer_ = 0;
};

}  // namespace tocsin::simulate
