/** For Stryker: one counterexample is enough, and no property is tried for longer than a second. */
require('fast-check').configureGlobal({ endOnFailure: true, interruptAfterTimeLimit: 1_000 });
