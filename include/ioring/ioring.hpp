// SPDX-License-Identifier: MIT
// ioring.hpp - everything a program needs, in one include.
#pragma once

#include "ioring/backends.hpp"
#include "ioring/buffer_group.hpp"
#include "ioring/buffer_pool.hpp"
#include "ioring/endpoint.hpp"
#include "ioring/error.hpp"
#include "ioring/message.hpp"
#include "ioring/names.hpp"
#include "ioring/received_message.hpp"
#include "ioring/ring.hpp"
#include "ioring/ring_buffer.hpp"
#include "ioring/ring_presets.hpp"
#include "ioring/socket_manager.hpp"
#include "ioring/user_data.hpp"
#include "ioring/version.hpp"
