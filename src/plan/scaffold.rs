//! Making a planfile where there is none (koru §1): config, first sprint, policy stub, `.gitignore` line.
