/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bacnet_samples.h: values of BACnet's services that no token tells, made up for samples: as long as the length of the payload that
 * was drawn leaves room, where they may have that length.
 */
#ifndef WSPI_BACNET_SAMPLES_H
#define WSPI_BACNET_SAMPLES_H

#include "token/app/app.h"

/* Has a property values that can be made up? */
bool wspi_bacnet_has(uint64_t property);

/* What follows a property of an object that is read: an index, if it is a list; in an answer its value. */
void wspi_bacnet_property(wspi_coder *c, uint64_t object, uint64_t property, bool answer);
/* Properties of a device that are read at once, with their values in an answer. */
void wspi_bacnet_properties(wspi_coder *c, bool answer);
/* Who-Is: nothing, or from which number to which. */
void wspi_bacnet_range(wspi_coder *c);
/* I-Am of a vendor whose number has 16 bits. */
void wspi_bacnet_i_am(wspi_coder *c);
/* Class and code of an error. */
void wspi_bacnet_error(wspi_coder *c);

#endif
