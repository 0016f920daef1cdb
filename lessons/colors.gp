# The colour of each architecture and form of attention, for the lessons' gnuplot scripts:
#     load "lessons/colors.gp"
#     plot ... linecolor rgb color("rnn")
# tests/test_plot.c checks that common/system/plot.c has the same colours.
color(name) = name eq "rnn" ? "#0072b2" : \
              name eq "lstm" ? "#d55e00" : \
              name eq "gru" ? "#009e73" : \
              name eq "none" ? "#56b4e9" : \
              name eq "vector" ? "#56b4e9" : \
              name eq "additive" ? "#cc79a7" : \
              name eq "dot" ? "#e69f00" : \
              name eq "concat" ? "#999933" : \
              name eq "transformer" ? "#000000" : \
              name eq "decoder" ? "#000000" : \
              name eq "gpt" ? "#882255" : "#777777"
