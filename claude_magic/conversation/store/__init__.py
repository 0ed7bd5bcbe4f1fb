"""Where the turns of conversations are kept between kernels: records that only grow."""
