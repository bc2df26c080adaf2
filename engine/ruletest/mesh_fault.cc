// SPDX-License-Identifier: Apache-2.0
#include "ruletest/mesh_fault.h"

#include <algorithm>

#include "base/file.h"
#include "base/listed.h"
#include "yaml/document.h"

namespace tocsin::ruletest {
namespace {

using simulate::FaultConfig;
using simulate::FaultKind;
using simulate::MeshConfig;

constexpr double kDropFactor = 0.1;  // As in a mesh file.

Result<MeshConfig> read_mesh(const std::string& path) {
  if (path.empty()) {
    MeshConfig mesh = MeshConfig::demo();
    mesh.faults.clear();
    return mesh;
  }
  const auto bytes = tocsin::read_file(path);
  if (!bytes) return fail(bytes.error());
  Diagnostics diagnostics;
  MeshConfig mesh =
      simulate::read_mesh(yaml::Document::parse(path, *bytes, diagnostics), diagnostics);
  if (diagnostics.has_errors()) return fail(ErrorCode::Parse, diagnostics.text());
  return mesh;
}

// A mesh file writes `server_errors`; `server-errors` and the common name of it are understood,
// too.
Result<FaultKind> fault_kind(std::string word) {
  if (word == "app-5xx") return FaultKind::ServerErrors;
  std::replace(word.begin(), word.end(), '-', '_');
  std::vector<std::string> words;
  for (const auto& [name, kind] : simulate::fault_words()) {
    if (name == word) return kind;
    words.emplace_back(name);
  }
  return fail(ErrorCode::NotFound,
              "there is no fault '" + word + "'; those that there are: " + listed(words));
}

// "web" names a workload that is alone with its name, "emojivoto/web" any.
Result<std::string> workload_id(const MeshConfig& mesh, const std::string& name) {
  std::vector<std::string> found;
  std::vector<std::string> all;
  for (const simulate::WorkloadConfig& w : mesh.workloads) {
    all.push_back(w.id());
    if (w.id() == name || w.name == name) found.push_back(w.id());
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return fail(ErrorCode::NotFound,
                "there is no workload '" + name + "' in the mesh; it has " + listed(all));
  }
  return fail(ErrorCode::NotFound,
              "'" + name + "' is more than one workload; write one of " + listed(found));
}

}  // namespace

Result<MeshConfig> mesh_of(const InputMesh& input) {
  auto mesh = read_mesh(input.file);
  if (!mesh || input.fault.empty()) return mesh;
  const auto kind = fault_kind(input.fault);
  if (!kind) return fail(kind.error());
  FaultConfig fault;
  fault.kind = *kind;
  fault.start = input.start;
  fault.end = input.end;
  fault.component = input.component;
  if (fault.kind == FaultKind::Drop) fault.factor = kDropFactor;
  fault.ratio = input.ratio.value_or(fault.ratio);
  fault.factor = input.factor.value_or(fault.factor);
  if (!input.workload.empty()) {
    auto id = workload_id(*mesh, input.workload);
    if (!id) return fail(id.error());
    fault.workload = std::move(*id);
  }
  if (auto missing = simulate::missing_target(fault))
    return fail(ErrorCode::InvalidArgument, *missing);
  mesh->faults.push_back(std::move(fault));
  return mesh;
}

}  // namespace tocsin::ruletest
