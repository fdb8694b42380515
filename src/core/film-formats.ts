/**
 * ffmpeg's demuxers of files that hold one film, or one sound. Not among them: playlists and scripts, which lead to other files and
 * addresses, and text, of which ffmpeg would draw a picture.
 */
export const FILM_FORMATS = "mov,matroska,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,obu,ivf,flv,asf,ogg,gif,apng,nut,mxf,wtv,rm,dv,gxf,swf,yuv4mpegpipe,mjpeg,h263,h261,vc1,cavsvideo,mp3,wav,flac,aac,ac3,aiff,amr,caf";
