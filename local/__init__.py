"""The whole stack on one machine: the template, deployed to an emulator of AWS."""
