/* SPDX-License-Identifier: Apache-2.0 */
/* wirespeak.h: everything of the library at once. The parts stand alone; include one instead where it suffices. */
#ifndef WIRESPEAK_WIRESPEAK_H
#define WIRESPEAK_WIRESPEAK_H

#include "wirespeak/base.h"
#include "wirespeak/capture.h"
#include "wirespeak/deviate.h"
#include "wirespeak/flow.h"
#include "wirespeak/generate.h"
#include "wirespeak/live.h"
#include "wirespeak/model.h"
#include "wirespeak/packet.h"
#include "wirespeak/realism.h"
#include "wirespeak/score.h"
#include "wirespeak/task.h"
#include "wirespeak/token.h"

#endif
