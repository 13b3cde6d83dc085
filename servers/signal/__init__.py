"""Signal: fitted surfaces in, trade ideas out."""
