// SPDX-License-Identifier: Apache-2.0
//
// Api is the table of routes: it finds the handler of a request, and says 404 and 405 where there
// is none. What the handlers do stands in handlers.h.
//
// Loop thread only.
#pragma once

#include "api/backend.h"
#include "net/http_server.h"

namespace tocsin::api {

class Api {
 public:
  // `backend` must outlive the Api and every handler it gave away.
  explicit Api(Backend& backend) : backend_(backend) {}

  net::HttpHandler handler();

 private:
  Backend& backend_;
};

}  // namespace tocsin::api
