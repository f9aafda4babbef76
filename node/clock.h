/*
 * The clock of this machine, the only one that Comity reads. In a trial it may be moved, so that
 * what happens after days can be seen in seconds: COMITY_TRIAL_CLOCK="+864000" or "-3600", in
 * seconds.
 */
#pragma once

#include "app/app.h"

/* APP_E_INVALID: COMITY_TRIAL_CLOCK is set, but this is no trial, or it is no such number. */
int clock_real(bool trial, struct app_clock *out, struct err *err);
