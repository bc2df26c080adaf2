// SPDX-License-Identifier: Apache-2.0
//
// The page of kube-state-metrics: the pods of the population as Kubernetes reports them. Since
// Linkerd 2.20 the proxy is an init container that keeps running. Pure.
#pragma once

#include <string>

#include "simulate/population.h"

namespace tocsin::simulate {

// Appends the page.
void render_kube_state(const Population& population, LinkerdVersion version, std::string& out);

}  // namespace tocsin::simulate
